"""What ``doorward serve`` has for ``doorward tail``, alone: for uvicorn, in the folder that DOORWARD_FOLDER names."""

from __future__ import annotations

from starlette.applications import Starlette

from doorward.service.server.folder import KEYS, LOG, service_folder
from doorward.service.server.keys import Keys
from doorward.service.server.log_api import routes
from doorward.service.server.log_file import LogFileReader

app = Starlette(routes=routes(LogFileReader(service_folder() / LOG), Keys(service_folder() / KEYS)))

"""Words that agents are made of: general technical vocabulary and names of software, none of them names of bots.

Compiled by hand from what each word means, not from a list of agents: a bot that nobody has heard of is found by them.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ROBOTS = _words("bot bots crawl crawler crawlers crawling robot robots scrape scraper scrapers scraping spider spiders")
ROBOT_ENDINGS = ("bot", "bots", "crawl", "crawler", "crawlers", "spider", "spiders", "scraper", "scrapers")
ROBOT_BEGINNINGS = ("crawl", "scrap", "webcrawl")
NOT_ROBOTS = _words("abbot cubot sabot scrap scrapbook scrapbooking scrapbooks scraps talbot talbots turbot")
"""Names that end or begin like a robot's all the same."""

ROBOT_WORK = _words(
    "aggregator analyser analyzer archive archiver archivers archiving audit auditing auditor callout check "
    "checker discovery downloader expander extractor favicon favicons feed feeds fetch fetcher fetches fetching "
    "grabber harvest harvester healthcheck heartbeat indexer indexing inspect inspection inspector metadata "
    "monitoring oembed onebox parser ping pinger prefetch prerender preview previewer previews prober recon "
    "resolver retriever scan scanner scanning screenshot screenshots sitemap sitemaps sniffer subscriber "
    "subscribers survey synthetic synthetics thumbnail thumbnailer unfurl unfurler unfurling uptime validation "
    "validator verification verifier webhook webhooks"
)
"""What robots do. Apps for scanning codes or reading feeds say so too, so that it counts less where one speaks."""

WORK_ENDINGS = (
    "aggregator", "archiver", "checker", "fetch", "fetcher", "finder", "grabber", "harvester", "hunter", "indexer",
    "monitor", "parser", "preview", "scan", "scanner", "sniffer", "validator", "webhook",
)  # fmt: skip
WORK_BEGINNINGS = ("linkcheck", "sitecheck", "uptime", "urlcheck", "webmon")
NOT_WORK = _words("pathfinder viewfinder")

BROWSER_DRIVERS = _words(
    "casperjs chromedriver cypress domjs geckodriver headless headlesschrome htmlunit httpunit jsdom lighthouse "
    "nightmare phantomjs playwright puppeteer selenium slimerjs splash testcafe watir webdriver zombie"
)
"""Software that drives browsers, or plays one, without a person."""

LANGUAGES = _words(
    "bun clojure coldfusion deno dotnet elixir erlang golang jakarta java julia lua node nodejs perl php "
    "powershell python ruby rust tcl windowspowershell"
)

SHELLS = _words("powershell windowspowershell")
"""Those of the languages whose agents begin as a browser's do."""

LIBRARIES = _words(
    # libraries
    "afnetworking ahc aiohttp alamofire axios cfhttp colly cpprestsdk curl dart faraday fasthttp feedparser feign "
    "finagle finch flurl got grequests guzzle guzzlehttp hackney heritrix httparty httpclient httplib httpoison "
    "httpurlconnection httpx httr hyper indy isahc jersey jetty jodd ktor larbin libcurl libsoup libwww lwp "
    "magpierss mechanize mint msxml needle netty nutch okhttp pear pycurl refit requests reqwest restsharp "
    "resttemplate resty retrofit scalaj scrapy simplepie snoopy sttp superagent symfony tornado treq twisted "
    "typhoeus undici unirest ureq urequests urlconnection urllib vertx webclient winhttp winhttprequest wininet "
    "xmlhttp zend "
    # tools
    "acunetix apachebench arachni aria artillery burp dirbuster feroxbuster ffuf gatling gobuster hookshot httpie "
    "imgproxy insomnia jmeter lftp locust masscan metasploit nessus newman nikto nmap nuclei openvas postman "
    "postmanruntime prometheus siege skipfish sqlmap vegeta wfuzz wget whatweb wpscan wrk zaproxy zgrab"
)
"""HTTP libraries, crawling frameworks, command line tools, load generators and scanners."""

EMBEDDED = _words("afnetworking alamofire cfnetwork cronet dalvik dart ktor okhttp retrofit volley")
"""Libraries that apps are made with: ``MyBank/4.1 okhttp/4.12`` is an app, ``okhttp/4.12`` anybody."""

APP_ENGINES = _words("applecoremedia avplayer cfnetwork dalvik exoplayer exoplayerlib stagefright")
"""What nothing but apps on phones, tablets and computers from Apple and Google is made with."""

PLATFORMS = _words(
    # systems
    "aix amiga amigaos android bada beos bsd chromeos cros darwin fedora freebsd fuchsia haiku harmonyos hpux "
    "hpwos ios ipados irix kaios mac macintosh macos macosx maemo meego morphos netbsd openbsd openharmony os osf "
    "osx palmos palmsource risc sailfish solaris sunos symbian symbianos symbos tizen tvos ubuntu unix visionos "
    "vizios watchos webos win windows winnt winphone "
    # devices and what they call themselves
    "appletv bb blackberry bravia chromecast cldc crkey danger desktop dlna dreamcast dtv firetv gameboy gamecube "
    "hbbtv hiptop ipad iphone ipod itv kindle kobo midp mobile netcast nettv nintendo nook phone playbook "
    "playstation powerpc ppc psp roku series silk smarttv sonos tablet touch tv uwp viera wap watch wii xbox "
    # makers and networks
    "acer alcatel alexa asus docomo htc huawei infinix kddi kyocera lenovo lg lge microsoft motorola nokia "
    "oneplus oppo panasonic philips sagem samsung sanyo sharp siemens softbank sonyericsson tecno vivo vizio "
    "vodafone wiko xiaomi zte "
    # what their programs are made with
    "applecoremedia cfnetwork dalvik electron fban fbav gamecenter ucbrowser ucweb unityplayer upnp"
)
"""Systems and devices. Who names one is mostly a program that somebody has installed.

Linux is missing: servers run it.
"""

PROGRAMS = _words(
    # players
    "aimp airplay amarok audacious avplayer banshee boxee clementine cmus deadbeef deezer echo emby exoplayer "
    "exoplayerlib foobar gpodder gstreamer helix infuse itunes jellyfin jriver juice kodi lavf libavformat libmpv "
    "libvlc mediamonkey miro mpd mplayer mpv musicbee mythtv nightingale nsplayer pandora plex quicktime "
    "quodlibet realmedia realplayer rhythmbox songbird spotify stagefright tidal totem tunein vlc winamp wmplayer "
    "xbmc xmms "
    # mail, calendars, office, other programs of the desktop
    "airmail claws davx eudora evolution excel git kmail libhttp lotus mirall monazilla msoffice office onedrive "
    "onenote outlook postbox powerpoint skype steam sylpheed teams thunderbird visio word"
)
"""Programs of the desktop that name no system."""

CALLED_APPS = (
    "amp", "app", "audio", "cast", "droid", "episode", "game", "iptv", "launcher", "mail", "media", "messenger",
    "music", "player", "pod", "radio", "song", "store", "stream", "tube", "tunes", "video",
)  # fmt: skip
"""What the names of apps begin or end with, most of all of those for listening and viewing."""

IMITATED = _words("applewebkit chrome chromium edge firefox gecko khtml msie safari trident")
"""Browsers and their engines, all of whose agents begin with "Mozilla/"."""

TEXT_BROWSERS = _words(
    "amaya amigavoyager aweb dillo elinks emacs hotjava ibrowse icab links lynx mosaic netfront netsurf retawq voyager"
)
BROWSERS = TEXT_BROWSERS | _words(
    "applewebkit arora avantgo blazer camino chrome chromium crios epiphany firefox fxios galeon gecko khtml "
    "konqueror midori msie netpositive netscape obigo omniweb opera opr presto rekonq safari seamonkey trident"
)

TRUE_COMPATIBLES = _words(
    "avant avantgo blazer danger googletoolbar ibrowse icab konqueror linux mac macintosh maemo ms-office msie "
    "msoffice netpositive omniweb opera palmsource realmedia risc trident u webtv win windows x"
)
"""What follows ``compatible;`` in agents of browsers and office programs."""

SERVICES = _words(
    "ads advertising agent ai alerts analytics api association atom audit cert certificate certificates citation "
    "classifier clearing cloud collector connector copier css daemon detect detector digest dns domain domains "
    "exporter facts finder generator gmbh gpt hook hooks hosting hostname html http https hunter importer inc "
    "indexer intelligence internet json llm lookup ltd marketing monitor monitors pixel proxy radar research rss "
    "search seo service services site sites ssl sucker test tester testing tests tls tool toolkit tools ua uri "
    "url verified verify watcher web website worker wrapper xml"
)
"""What services are called; in the names of apps too, so that it counts only where nothing speaks for an app."""

TAIL_SERVICES = _words(
    "agent api audit check compliance friendly headers health insights link links monitor optimizer page rss seo "
    "service site sites speed test tester testing tests url verify watcher website"
)
"""What services that use a real browser add to its agent."""

DESKTOP_SEGMENTS = _words(
    "arch centos debian en fedora gentoo gnu intel linux mageia mint slackware suse touch u unknown wayland windows x"
)
"""What else than names of systems stands alone in the first comment of browsers on computers."""

TAIL_BROWSERS = _words(
    "adg avast avg avira basilisk brave ccleaner chrome chromium coast config core crkey ddg decentr dragon "
    "duckduckgo ecosia edg edge epiphany falkon firefox ghostery guest herring iridium iron kinza lbbrowser ldb "
    "librewolf lightning lunascape maxthon metasr midori mobile mullvad norton opera opr otter palemoon puffin "
    "qihu qqbrowser quark qutebrowser safari samsungbrowser seamonkey seb sidekick slbrowser sleipnir slimjet "
    "sogoumobilebrowser sogoumse swiftfox tesla thunderbird trailer ubrowser unique uos version viewer vivaldi "
    "waterfox wavebox whale yabrowser yowser zen"
)
"""Browsers that put their names behind the one they descend from."""

TOP_LEVEL_DOMAINS = _words(
    "ai app at au be biz br ca ch cloud co com cz de dev dk edu es eu fi fr gl gov in info int io it jp kr ly me "
    "net nl no online org pl ru se site tech tv ua uk us xyz"
)
PLACEHOLDERS = _words("* - nil none null test ua undefined unknown user-agent useragent")
WINDOWS_RELEASES = _words("10.0 3.1 3.5 3.51 4.0 4.1 5.0 5.01 5.1 5.2 6.0 6.1 6.2 6.3 6.4")
"""Versions of Windows NT that there are; Windows 11 says 10.0."""

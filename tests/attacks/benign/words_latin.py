"""Languages written in Latin letters, most with diacritics."""

from .languages import language

ENGLISH = language(
    "en",
    """
    given: Alice | Bob | Charlotte | Daniel | Emily | George | Hannah | Isaac | Jane | Liam | Mary-Ann | Noah | Zoë
    family: Smith | Johnson | Taylor | Walker | Wright | Green | Baker | Clarke | Hughes | Lloyd-Webber | Null | Drop
    cities: London | Bristol | King's Lynn | St. John's | Newcastle upon Tyne | Coeur d'Alene | Land O' Lakes
    streets: 12 High Street | Flat 3/B, 40 Union St. | c/o 7 Baker's Row | P.O. Box 1139 | 221B Baker Street | #5-12
    words: bicycle repair | birthday cake | rain jacket | second-hand books | table lamp | men's shoes | 50% off
    words: coffee & tea | black/white photo | size 10.5 | mother's day | salt + pepper | what's new? | fish 'n' chips
    I've been using it for three weeks and it's still as good as new.
    Can't complain: fast delivery, friendly people, fair price!
    Does anybody know whether they're open on New Year's Eve?
    The colour isn't quite what I expected; otherwise 10/10.
    "Best coffee in town," said my wife -- and she's right.
    We'd like a table for 4 (two adults, two kids) at 7:30 pm, please.
    My order #4471-B hasn't arrived yet, and it's been 2 weeks...
    Thanks so much, you're the best!!! <3
    P.S. The rock 'n' roll night was brilliant - let's do it again.
    If you go before noon it's half price; after that it's $12 & you'll queue.
    I'd rate it 4/5, but the manual (page 12) is wrong & the plug doesn't fit.
    """,
)
FRENCH = language(
    "fr",
    """
    given: Élodie | François | Aïcha | Benoît | Chloé | Jean-Luc | Marie-Thérèse | Noël | Gaël | Océane
    family: Lefèvre | D'Hérouville | L'Écuyer | Côté | Dupré | Béranger | de l'Étang | Müller-Picard | Françoise
    cities: Saint-Étienne | L'Haÿ-les-Roses | Besançon | Villeneuve-d'Ascq | Orléans | Nîmes
    streets: 8, rue de l'Église | 14 bis, avenue d'Italie | 3, place de l'Hôtel-de-Ville | 27, quai de l'Yser
    words: crème brûlée | hôtel à l'année | œuvre d'art | pneu d'hiver | livre d'occasion | s'il vous plaît
    C'est l'un des meilleurs restaurants que j'aie jamais essayés !
    Je n'ai pas reçu ma commande n° 20455 ; pourriez-vous m'aider ?
    L'appartement est situé à côté de l'hôtel, « très calme » d'après l'hôte.
    Qu'est-ce qu'il y a d'autre à voir aujourd'hui ?
    J'adore ! Le rapport qualité/prix est imbattable : 15 € seulement.
    Aujourd'hui c'est l'anniversaire d'Hélène, d'où le gâteau.
    Bonjour, l'article ne s'allume plus depuis l'été dernier.
    """,
)
GERMAN = language(
    "de",
    """
    given: Jürgen | Käthe | Sören | Änne | Björn | Lieselotte | Günther | Anneliese | Jörg | Zoé
    family: Müller | Größmann | Weiß | Schäfer-Öhlmann | von der Höhe | Kühn | Bäcker & Söhne | Großkopf
    cities: Köln | München | Görlitz | Weißenfels | Saarbrücken | Frankfurt (Oder)
    streets: Königstraße 12 | Große Gasse 7/II | Unter den Linden 5 | Mühlenweg 3a | Am Südhang 44
    words: Fahrradständer | Übergröße | Straßenkarte | Kühlschrank | Prüfgerät | Brot & Brötchen | Wärmflasche
    Das Gerät läuft seit gestern nicht mehr – was kann ich tun?
    Super Qualität, schnelle Lieferung, gern wieder!
    Ich hätte gern einen Termin am 3. März um 14:30 Uhr.
    „Größe fällt klein aus“, so steht’s auch in der Beschreibung.
    Die Rechnung (Nr. 2024/0815) enthält einen Fehler: 19 % MwSt. statt 7 %.
    Gibt's das auch in Grün? Wär' echt super!
    """,
)
SPANISH = language(
    "es",
    """
    given: José | María del Carmen | Íñigo | Begoña | Raúl | Sofía | Andrés | Lucía | Ángel | Nuria
    family: Núñez | García-Márquez | O'Donnell | Peña y Lillo | Ibáñez | Muñoz | de la Cruz | Select
    cities: A Coruña | Logroño | Málaga | San Sebastián | Alcalá de Henares | L'Hospitalet de Llobregat
    streets: C/ Mayor, n.º 5, 2.º izq. | Avda. de la Constitución, 17 | Pza. España s/n | Paseo del Niño Jesús, 3
    words: zapatos de niño | jamón ibérico | años 80 | piñata | teléfono móvil | ropa de bebé | ¿cuánto cuesta?
    ¿Alguien sabe a qué hora abren mañana?
    ¡Qué maravilla! Volveremos el año que viene.
    El pedido n.º 3321 llegó roto; quiero cambiarlo, por favor.
    Me encantó la atención; el niño se lo pasó genial.
    No está mal, pero el cargador no funciona: hay que empujarlo un poco.
    Union y Progreso es el nombre de mi calle, no es broma.
    """,
)
PORTUGUESE = language(
    "pt",
    """
    given: João | Conceição | Antônio | Inês | Tainá | Luís | Mônica | Cauã
    family: d'Ávila | Gonçalves | Araújo | Simões | Sant'Anna | Magalhães | Conceição | Brandão
    cities: São Paulo | Santa Bárbara d'Oeste | Évora | Maceió | Olho d'Água
    streets: Rua São João, 45 | Av. Brasília, 1.200 – apto. 31 | Praça da Sé, s/nº | Travessa d'Ajuda, 9
    words: pão de queijo | calça jeans | óculos de sol | fogão 4 bocas | promoção | copo d'água
    Não recebi o código de verificação, podem reenviar?
    Ótimo produto, chegou antes do prazo. Recomendo!
    A cor é diferente da foto, mas tudo bem...
    Quanto custa o frete para o interior? Já são R$ 89,90!
    Meu irmão também comprou & gostou :)
    """,
)
ITALIAN = language(
    "it",
    """
    given: Niccolò | Desirée | Andrea | Giosuè | Maria | Benedetta | Noè | Caterina
    family: D'Angelo | Dell'Acqua | D'Amico | Lo Presti | Dall'Ò | De' Medici | Sant'Elia | Forlì
    cities: L'Aquila | Forlì | Sant'Angelo Lodigiano | Reggio nell'Emilia | Cantù
    streets: Via dell'Orso, 12 | Corso Vittorio Emanuele II, 4/A | Piazza dell'Unità d'Italia | Via Nicolò V, 2
    words: olio d'oliva | perché no? | caffè | orologio d'oro | c'è posta | quell'altro | tè all'arancia
    Un'esperienza bellissima, dall'inizio alla fine!
    Non c'è più posto? L'altra volta era tutto esaurito.
    L'ordine è arrivato con un'ora d'anticipo: perfetto.
    Com'è possibile che dall'app non si riesca a pagare?
    E' tutto ok, grazie dell'aiuto.
    """,
)
POLISH = language(
    "pl",
    """
    given: Łukasz | Małgorzata | Świętosława | Żaneta | Józef | Zdzisław
    family: Wójcik | Brzęczyszczykiewicz | Śliwa | Żółkiewski | Dąbrowska | Kozłowski
    cities: Łódź | Gdańsk | Świnoujście | Bielsko-Biała | Kraków
    streets: ul. Świętokrzyska 12/4 | al. Jerozolimskie 100 m. 7 | pl. Żelaznej Bramy 1 | os. Złotej Jesieni 5
    words: żółty ser | książka | łóżko dziecięce | świąteczna zniżka | części zamienne
    Przesyłka dotarła w ciągu dwóch dni, jestem zadowolony.
    Czy mógłbym prosić o fakturę VAT?
    Świetna obsługa, ale łazienka była trochę zaniedbana.
    Nie działa mi logowanie – „błędne hasło”, chociaż wpisuję dobre.
    """,
)
CZECH = language(
    "cs",
    """
    given: Jiří | Tereza | Řehoř | Zdeňka | Ondřej | Šárka
    family: Dvořák | Nováková | Šťastný | Příhoda | Kučerová | Žďárský
    cities: Plzeň | Brno | Kroměříž | České Budějovice | Ústí nad Labem
    streets: Příčná 5/12 | nám. Svobody 3 | Třída Čs. armády 41 | U Hřiště 7
    words: dětská židle | příslušenství | kolo | tričko | šňůra
    Děkuji za rychlé doručení, všechno v pořádku.
    Prosím o zrušení objednávky č. 118/2024.
    Žluťoučký kůň úpěl ďábelské ódy – jen zkouším háčky.
    Kde najdu návod v češtině?
    """,
)
TURKISH = language(
    "tr",
    """
    given: Çağla | Şükrü | İbrahim | Gökçe | Ömer | Işıl
    family: Yıldız | Öztürk | Çelik | Şahin | Doğan | Güneş
    cities: İstanbul | Muğla | Şanlıurfa | Eskişehir | Diyarbakır
    streets: Atatürk Cad. No: 12/3 | Güneş Sok. 5 D:2 | İstiklâl Caddesi 141 | Şehitler Mah. 3. Sk.
    words: çay bardağı | kışlık ayakkabı | güneş gözlüğü | İngilizce öğren | yağmurluk
    Ürün tam zamanında geldi, çok teşekkürler.
    İade işlemi için ne yapmalıyım?
    İstanbul'da şubeniz var mı? Ankara'dan geliyorum.
    Şifremi unuttum, yardımcı olur musunuz?
    """,
)
VIETNAMESE = language(
    "vi",
    """
    given: Nguyễn Thị Hồng | Trần Văn Đức | Lê Quỳnh | Phạm Minh | Đỗ Hải
    family: Ánh | Dũng | Tuyết | Phương | Thảo | Sơn
    cities: Hà Nội | Đà Nẵng | Thành phố Hồ Chí Minh | Cần Thơ | Huế
    streets: 12/4 Nguyễn Huệ, Q.1 | số 5, ngõ 20, phố Huế | 88 Lê Lợi, P. Bến Nghé
    words: áo dài | cà phê sữa đá | điện thoại cũ | giày thể thao | bánh mì
    Hàng đẹp, giao nhanh, sẽ ủng hộ tiếp!
    Cho mình hỏi còn màu đỏ không ạ?
    Mình chưa nhận được mã xác nhận.
    Đồ ăn ngon nhưng phải chờ hơi lâu.
    """,
)
SWEDISH = language(
    "sv",
    """
    given: Åsa | Göran | Örjan | Märta | Björn | N'Golo
    family: Öberg | Sjöström | Åkesson | af Ugglas | Lindqvist | M'Bala
    cities: Malmö | Göteborg | Örebro | Växjö | Umeå
    streets: Storgatan 5 lgh 1102 | Östra Ågatan 3 | S:t Eriksgatan 60 A | Björkvägen 12
    words: regnkläder | böcker på rea | smörgåstårta | cykelhjälm | öl & vin
    Jättebra service, tack så mycket!
    Paketet har inte kommit än, vad gör jag?
    Finns den i blått? Storlek 42 ½ i så fall.
    Det var väl okej, men priset är för högt.
    """,
)

LATIN = (
    ENGLISH,
    FRENCH,
    GERMAN,
    SPANISH,
    PORTUGUESE,
    ITALIAN,
    POLISH,
    CZECH,
    TURKISH,
    VIETNAMESE,
    SWEDISH,
)

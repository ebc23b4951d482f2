"""The words that MediaWiki sites use for the same things in many languages: namespaces, redirects, magic words.

The tables come from MediaWiki's own localisation (https://www.mediawiki.org/wiki/Localisation); a word that is missing
here is caught by a rule that needs no word (a file by its ending, a namespace by the dump's own ``siteinfo``).
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a table that is written as text."""
    return frozenset(text.split())


#: Prefixes of links that place a file (namespaces File and Media, and aliases), lower case, in the larger languages. Most
#: such links are known by FILE_ENDING already; no word is listed that titles begin with ("Imagine: ...").
FILE_PREFIXES = words(
    """file image media datei bild fichier archivo imagen ficheiro imagem immagine bestand afbeelding fil plik grafika
    soubor súbor fájl kép tiedosto kuva файл изображение зображення выява датотека слика fișier berkas gambar dosya resim
    fitxer imatge fitxategi irudi fail attēls vaizdas dosiero bildo lêer beeld slika datoteka mynd εικόνα αρχείο
    파일 그림 ファイル 画像 文件 图像 檔案 圖像 ملف صورة پرونده تصویر चित्र চিত্র קובץ תמונה ไฟล์ ภาพ"""
) | {"tập tin", "hình"}

#: Prefixes of links that put a page in a category, lower case, in the larger languages; others come with ``siteinfo``.
CATEGORY_PREFIXES = words(
    """category kategorie catégorie categoría categoria categorie kategori kategoria kategória kategorija kategorio
    kategooria luokka flokkur категория категорія катэгорыя категорија санат 分类 分類 カテゴリ 분류
    تصنيف رده श्रेणी বিষয়শ্রেণী קטגוריה κατηγορία หมวดหมู่ பகுப்பு వర్గం კატეგორია կատեգորիա kateqoriya
    kategorya"""
) | {"thể loại"}

#: Language codes of Wikipedias: ``[[fr:Mot]]`` is a link in the margin, not text (https://meta.wikimedia.org/wiki/List_of_Wikipedias).
LANGUAGES = words(
    """aa ab ace ady af ak als alt am ami an ang anp ar arc ary arz as ast atj av avk awa ay az azb ba ban bar bat-smg
    bbc bcl be be-tarask be-x-old bg bh bi bjn blk bm bn bo bpy br bs bug bxr ca cbk-zam cdo ce ceb ch cho chr chy ckb
    co cr crh cs csb cu cv cy da dag de din diq dsb dty dv dz ee el eml en eo es et eu ext fa ff fi fiu-vro fj fo fr
    frp frr fur fy ga gag gan gcr gd gl glk gn gom gor got gpe gu guc gur guw gv ha hak haw he hi hif ho hr hsb ht hu
    hy hyw hz ia id ie ig ii ik ilo inh io is it iu ja jam jbo jv ka kaa kab kbd kbp kcg kg ki kj kk kl km kn ko koi kr
    krc ks ksh ku kv kw ky la lad lb lbe lez lfn lg li lij lld lmo ln lo lrc lt ltg lv mad mai map-bms mdf mg mh mhr mi
    min mk ml mn mni mnw mo mr mrj ms mt mus mwl my myv mzn na nah nap nds nds-nl ne new ng nia nl nn no nov nqo nrm
    nso nv ny oc olo om or os pa pag pam pap pcd pcm pdc pfl pi pih pl pms pnb pnt ps pt pwn qu rm rmy rn ro roa-rup
    roa-tara ru rue rw sa sah sat sc scn sco sd se sg sh shi shn si simple sk skr sl sm smn sn so sq sr srn ss st stq
    su sv sw szl szy ta tay tcy te tet tg th ti tk tl tly tn to tpi tr trv ts tt tum tw ty tyv udm ug uk ur uz ve vec
    vep vi vls vo wa war wo wuu xal xh xmf yi yo za zea zh zh-classical zh-min-nan zh-yue zu"""
)

#: Endings of media files: a link with a prefix and one of these places a file, in whatever language.
FILE_ENDING = re.compile(
    r"\.(?:jpe?g|png|svg|gif|tiff?|bmp|xcf|webp|og[gva]|oga|opus|webm|mp[34]|mpg|flac|wav|midi?|pdf|djvu|stl)\s*$", re.I
)

#: Behaviour switches (https://www.mediawiki.org/wiki/Help:Magic_words); ``__LINE__`` and the like in prose are not among them.
SWITCH = re.compile(
    r"__(?:(?:NO|FORCE)?TOC|NOEDITSECTION|NO(?:NEW)?SECTIONLINK|(?:NO)?NEWSECTIONLINK|NOGALLERY|HIDDENCAT|"
    r"EXPECTUNUSED(?:CATEGORY|TEMPLATE)|EXPECTED_UNCONNECTED_PAGE|NOCONTENTCONVERT|NOTITLECONVERT|NOCC|NOTC|"
    r"(?:NO)?INDEX|STATICREDIRECT|DISAMBIG|NOGLOBAL|ARCHIVEDTALK|NOTALK|START|END)__",
    re.I,
)
#: A switch in another language: upper case (or a script without case) and alone on its line.
LOCAL_SWITCH = re.compile(r"^[ \t]*__[^\W\d_a-z][^\Wa-z]{2,40}__[ \t]*$", re.M)

#: The word after ``#`` that makes a page a redirect, per language of MediaWiki's messages.
_REDIRECT = re.compile(
    r"\s*[#＃]\s*(?:redirect(?:ion)?|weiterleitung|redirección|redireccion|redirecionamento|redirecció|"
    r"rinvia|rinvio|rimando|doorverwijzing|omdirigering|omdiriger|viderestilling|tilvísun|ohjaus|uudelleenohjaus|"
    r"suuna|patrz|przekieruj|tam|přesměruj|presmeruj|átirányítás|preusmjeri|preusmeri|преусмери|перенаправление|"
    r"перенапр|перенаправлення|перанакіраванне|пренасочване|виж|redirecționează|đổi|alih|lencongan|yönlendirme|"
    r"yönləndirmə|istiqamətləndirmə|айдау|bidali|birzuzendu|alidirektu|adkas|ail-cyfeirio|athsheoladh|ανακατευθυνση|"
    r"ανακατεύθυνση|გადამისამართება|վերահղում|הפניה|تحويل|تغییر[_ \u200c]?مسیر|पुनर्प्रेषित|अनुप्रेषित|পুনর্নির্দেশ|"
    r"வழிமாற்று|దారిమార్పు|തിരിച്ചുവിടുക|เปลี่ยนทาง|넘겨주기|転送|リダイレクト|重定向|重新導向|pāradresācija|"
    r"peradresavimas)\s*:?\s*\[\[[^\[\]\n]+\]\]",
    re.I,
)

#: Templates that mark a page as a list of meanings, in the larger languages; ``{{dab}}``, ``{{hndis|..}}``.
_DISAMBIGUATION = re.compile(
    r"\{\{\s{0,9}(?:disambig\w*|disamb|dab|hndis|geodis|(?:[\w ]{1,60} )?disambiguation(?: page)?|surname|given name|"
    r"begriffsklärung|homonymie|desambiguación|desambiguação|disambigua|dp|ujednoznacznienie|неоднозначность|"
    r"багатозначність|aimai|消歧义|消歧義|förgrening|flertydig|täsmennyssivu|rozcestník)\s{0,9}[|}]|__DISAMBIG__",
    re.I,
)


def is_redirect(wikitext: str) -> bool:
    """Return whether a page's text says that it is a redirect, in any of the known languages."""
    return _REDIRECT.match(wikitext) is not None


def is_disambiguation(title: str, wikitext: str) -> bool:
    """Return whether a page lists the meanings of its title: by its title, a template or a switch."""
    return title.endswith("(disambiguation)") or _DISAMBIGUATION.search(wikitext) is not None


def is_list(title: str) -> bool:
    """Return whether a page's title says that it is a list (English titles)."""
    return title.startswith(("List of ", "Lists of "))

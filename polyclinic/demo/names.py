"""Names of patients from many places, in the scripts their owners write them in.

Right-to-left scripts, marks that combine with the letter before, apostrophes, particles and very short names are here
on purpose: every page and list has to carry them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Culture:
    """Names that go together, and how often (relative to the other cultures) someone bears them."""

    weight: int
    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]


def _of(weight: int, female: str, male: str, family: str) -> Culture:
    return Culture(weight, *(tuple(part.strip() for part in text.split(",")) for text in (female, male, family)))


CULTURES: Final[tuple[Culture, ...]] = (
    _of(
        14,
        "Olivia, Amelia, Grace, Florence, Harriet, Zoë, Siân, Niamh, Eilidh, Margaret, Dorothy, Joan",
        "Oliver, George, Harry, Rhys, Callum, Seán, Fergus, Alfie, Arthur, Ronald, Keith, Thomas",
        "Smith, Jones, Taylor, Evans, O'Brien, O’Connell, MacLeod, Fitzgerald, Hughes, St John, Ward, Bell",
    ),
    _of(
        10,
        "Anna, Lena, Frieda, Johanna, Käthe, Ursula, Renate, Mia, Jördis, Heike",
        "Jonas, Felix, Jürgen, Björn, Karl-Heinz, Uwe, Lukas, Matthias, Götz, Emil",
        "Müller, Schmidt, Weiß, Schäfer, Vogt, von der Heide, Groß, Köhler, Becker, Zimmermann, Lange",
    ),
    _of(
        9,
        "Meera, Ananya, Lakshmi, Priya, Kavya, Sunita, Deepa, Radha, Ishita, Nandini",
        "Arjun, Rohan, Vikram, Suresh, Kiran, Manoj, Anand, Dev, Harish, Siddharth",
        "Sharma, Iyer, Nair, Patel, Reddy, Banerjee, Kulkarni, Singh, Menon, Das, Gupta",
    ),
    _of(
        3,
        "अनन्या, लक्ष्मी, प्रिया, सुनीता, मीरा",
        "अर्जुन, रोहन, विक्रम, सुरेश, हरीश",
        "शर्मा, पटेल, वर्मा, मिश्रा, कुलकर्णी, श्रीवास्तव",
    ),
    _of(
        6,
        "فاطمة, مريم, ليلى, نور, زينب, سلمى, هند",
        "محمد, أحمد, يوسف, خالد, عمر, حسن, طارق",
        "الأحمد, حداد, النجار, خليل, منصور, العلي, عبد الرحمن, صالح",
    ),
    _of(3, "نازنین, شیرین, پریسا, مهسا", "رضا, داریوش, کیوان, پژمان", "حسینی, رضایی, کریمی, فرهادی, پاکزاد"),
    _of(3, "נועה, תמר, שירה, רות", "דוד, יונתן, איתי, משה", "כהן, לוי, מזרחי, פרידמן, בן־דוד"),
    _of(
        6,
        "Chioma, Adaeze, Ngozi, Ìfẹ́olúwa, Ṣadé, Yétúndé, Amina, Títílayọ̀",
        "Emeka, Chidi, Olúwaṣeun, Babátúndé, Kẹ́hìndé, Musa, Ifeanyi, Ọlá",
        "Okafor, Adébáyọ̀, Eze, Ọláníyan, Ògúnbánjọ, Bello, Nwosu, Akíntọ́lá",
    ),
    _of(
        6,
        "Nguyệt, Hương, Thảo, Ngọc Ánh, Mai, Quỳnh",
        "Dũng, Hiếu, Minh Đức, Phúc, Quân, Tuấn",
        "Nguyễn, Trần, Lê, Phạm, Huỳnh, Võ, Đặng",
    ),
    _of(
        6,
        "秀英, 美玲, 雨桐, 静, 佳怡, Mei Ling, Xiu",
        "伟, 建国, 浩然, 子轩, 磊, Wei, Jun Jie",
        "王, 李, 张, 陈, 欧阳, Chen, Wong, Ng",
    ),
    _of(3, "さくら, 陽子, 美咲, 結衣", "翔太, 健一, 大輔, 蓮", "佐藤, 鈴木, 高橋, 渡辺, 長谷川"),
    _of(3, "서연, 지우, 민서, 하은", "민준, 서준, 도윤, 지훈", "김, 이, 박, 최, 남궁"),
    _of(
        7,
        "María José, Lucía, Begoña, Inés, Ximena, Guadalupe, Concepción",
        "José Luis, Íñigo, Andrés, Raúl, Joaquín, Martín, Ángel",
        "García López, Muñoz, Núñez de Arce, Rodríguez, Ibáñez, de la Cruz, Peña, Fernández-Vega",
    ),
    _of(
        5,
        "Beatriz, Conceição, Inês, Graça, Luísa",
        "João, Bento, Estêvão, António, Gonçalo",
        "Santos, da Conceição, Araújo, Simões, Magalhães, dos Reis",
    ),
    _of(
        5,
        "Zuzanna, Małgorzata, Agnieszka, Bożena, Łucja",
        "Paweł, Łukasz, Grzegorz, Stanisław, Michał",
        "Wiśniewska, Kowalczyk, Wójcik, Dąbrowski, Żółkiewski, Szczepański",
    ),
    _of(
        4,
        "Ольга, Надія, Світлана, Катерина, Марія",
        "Олександр, Тарас, Сергій, Дмитро, Андрій",
        "Шевченко, Коваленко, Мельник, Ткачук, Соловйова",
    ),
    _of(
        3,
        "Ελένη, Μαρία, Αικατερίνη, Δέσποινα",
        "Γιώργος, Νίκος, Παναγιώτης, Θανάσης",
        "Παπαδοπούλου, Νικολάου, Ιωάννου, Βασιλείου",
    ),
    _of(
        4,
        "Ayşe, Gülşen, Çiğdem, Elif, Işıl",
        "İbrahim, Oğuz, Çağlar, Mehmet, Ümit",
        "Yılmaz, Öztürk, Işık, Şahin, Kılıç, Güneş",
    ),
    _of(2, "สมหญิง, มาลี, พรทิพย์", "สมชาย, ประเสริฐ, วิชัย", "ศรีสุข, วงศ์สวัสดิ์, ทองดี"),
    _of(2, "கவிதா, மீனாட்சி, செல்வி", "முருகன், கார்த்திக், செந்தில்", "இராமசாமி, சுப்பிரமணியம், குமார்"),
    _of(2, "Guðrún, Þórdís, Ásta", "Björgvin, Þorsteinn, Ægir", "Jónsdóttir, Sigurðsson, Þorvaldsdóttir"),
    _of(2, "Sanne, Fleur, Mareike", "Daan, Pieter, Sjoerd", "van der Berg, de Vries, ’t Hooft, van 't Hof"),
    _of(2, "Kaʻiulani, Leilani, Sina", "Keanu, Tāne, Fetu", "Kealoha, Ngata, Leilua, Māhoe"),
    _of(2, "ሰላም, ሃና, ትዕግስት", "አበበ, ዳዊት, ተስፋዬ", "ከበደ, ወልደ ማርያም, ታደሰ"),
)  # fmt: skip

_WEIGHTS: Final = [culture.weight for culture in CULTURES]


def draw(rng: random.Random, sex: str) -> tuple[str, str]:
    """A family name and a given name that go together. For `other` and `unknown` either list will do."""
    culture = rng.choices(CULTURES, _WEIGHTS)[0]
    if sex not in {"female", "male"}:
        sex = rng.choice(("female", "male"))
    given = rng.choice(culture.female if sex == "female" else culture.male)
    return rng.choice(culture.family), given

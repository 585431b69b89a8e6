"""Where the catalogue's figures come from, and which edition of the catalogue this is."""

from __future__ import annotations

from typing import Final

# Every result keeps the edition its range was taken from: a later one never changes how an old result reads.
EDITION: Final = "2026-11"

SOURCES: Final[dict[str, str]] = {
    "ABIM": "American Board of Internal Medicine: Laboratory test reference ranges, 2024 "
    "(abim.org/Media/bfijryql/laboratory-reference-ranges.pdf)",
    "WHO-Hb": "WHO guideline on haemoglobin cutoffs to define anaemia, 2024, ISBN 978-92-4-008854-2",
    "WHO-ferritin": "WHO guideline on use of ferritin concentrations, 2020, ISBN 978-92-4-000012-4",
    "NEJM": "Kratz A. et al.: Laboratory reference values. N Engl J Med 2004;351:1548-63, doi:10.1056/NEJMcpc049016",
    "ADA": "American Diabetes Association: Standards of care in diabetes, diagnosis and classification. Diabetes Care "
    "2024;47(Suppl 1):S20-42, doi:10.2337/dc24-S002",
    "NCEP": "NCEP Adult Treatment Panel III, final report. Circulation 2002;106:3143-421",
    "KDIGO": "KDIGO 2024 guideline for chronic kidney disease. Kidney Int 2024;105(4S):S117-314, "
    "doi:10.1016/j.kint.2023.10.018",
    "ATA": "American Thyroid Association: Thyroid disease during pregnancy and the postpartum. Thyroid "
    "2017;27:315-89, doi:10.1089/thy.2016.0457",
    "ABBASSI": "Abbassi-Ghanavati M. et al.: Pregnancy and laboratory studies. Obstet Gynecol 2009;114:1326-31, "
    "doi:10.1097/AOG.0b013e3181c2bde8",
    "CKD-EPI": "Inker L. A. et al.: New creatinine- and cystatin C-based equations to estimate GFR without race. "
    "N Engl J Med 2021;385:1737-49, doi:10.1056/NEJMoa2102953",
    "FRIEDEWALD": "Friedewald W. T. et al.: Estimation of LDL cholesterol. Clin Chem 1972;18:499-502",
    "PAYNE": "Payne R. B. et al.: Interpretation of serum calcium in patients with abnormal serum proteins. Br Med J "
    "1973;4:643-6, doi:10.1136/bmj.4.5893.643",
    "EMMETT": "Emmett M., Narins R. G.: Clinical use of the anion gap. Medicine 1977;56:38-54",
    "RCPATH": "Royal College of Pathologists: The communication of critical and unexpected pathology results, G158, "
    "2017",
    "EP33": "CLSI EP33: Use of delta checks in the medical laboratory, 2016; the limits are ours",
}

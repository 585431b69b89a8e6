"""The first formulary: products that an outpatient house commonly keeps, after the WHO Model List of Essential
Medicines (23rd list, 2023) and common practice beyond it. Names are international nonproprietary names; ATC codes are
those of the WHO Collaborating Centre for Drug Statistics Methodology. Facts alone are carried over.

A line is: generic | brand | form | strength | value unit in one dose unit | dose unit | dispensing unit |
dose units in one dispensing unit ("-" where nobody can count them) | route | ATC | "c" when controlled.
"""

from __future__ import annotations

import functools
from typing import Final

VERSION: Final = "2026-1"

LINES: Final = """
amoxicillin | | capsule | 250 mg | 250 mg | capsule | capsule | 1 | oral | J01CA04
amoxicillin | | capsule | 500 mg | 500 mg | capsule | capsule | 1 | oral | J01CA04
amoxicillin | | syrup | 250 mg/5 mL | 50 mg | mL | mL | 1 | oral | J01CA04
amoxicillin + clavulanic acid | | tablet | 500 mg/125 mg | 500 mg | tablet | tablet | 1 | oral | J01CR02
amoxicillin + clavulanic acid | | tablet | 875 mg/125 mg | 875 mg | tablet | tablet | 1 | oral | J01CR02
amoxicillin + clavulanic acid | | syrup | 250 mg/62.5 mg/5 mL | 50 mg | mL | mL | 1 | oral | J01CR02
phenoxymethylpenicillin | | tablet | 250 mg | 250 mg | tablet | tablet | 1 | oral | J01CE02
flucloxacillin | | capsule | 500 mg | 500 mg | capsule | capsule | 1 | oral | J01CF05
benzathine benzylpenicillin | | injection | 1.44 g | 1440 mg | vial | vial | 1 | intramuscular | J01CE08
cefalexin | | capsule | 500 mg | 500 mg | capsule | capsule | 1 | oral | J01DB01
cefuroxime | | tablet | 250 mg | 250 mg | tablet | tablet | 1 | oral | J01DC02
cefixime | | capsule | 200 mg | 200 mg | capsule | capsule | 1 | oral | J01DD08
ceftriaxone | | injection | 1 g | 1000 mg | vial | vial | 1 | intramuscular | J01DD04
azithromycin | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | J01FA10
azithromycin | | syrup | 200 mg/5 mL | 40 mg | mL | mL | 1 | oral | J01FA10
clarithromycin | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | J01FA09
erythromycin | | tablet | 250 mg | 250 mg | tablet | tablet | 1 | oral | J01FA01
clindamycin | | capsule | 300 mg | 300 mg | capsule | capsule | 1 | oral | J01FF01
doxycycline | | capsule | 100 mg | 100 mg | capsule | capsule | 1 | oral | J01AA02
ciprofloxacin | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | J01MA02
levofloxacin | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | J01MA12
sulfamethoxazole + trimethoprim | | tablet | 800 mg/160 mg | 800 mg | tablet | tablet | 1 | oral | J01EE01
trimethoprim | | tablet | 200 mg | 200 mg | tablet | tablet | 1 | oral | J01EA01
nitrofurantoin | | capsule | 100 mg | 100 mg | capsule | capsule | 1 | oral | J01XE01
fosfomycin | | powder | 3 g | 3000 mg | sachet | sachet | 1 | oral | J01XX01
metronidazole | | tablet | 400 mg | 400 mg | tablet | tablet | 1 | oral | P01AB01
linezolid | | tablet | 600 mg | 600 mg | tablet | tablet | 1 | oral | J01XX08
rifampicin | | capsule | 300 mg | 300 mg | capsule | capsule | 1 | oral | J04AB02
isoniazid | | tablet | 300 mg | 300 mg | tablet | tablet | 1 | oral | J04AC01
fluconazole | | capsule | 150 mg | 150 mg | capsule | capsule | 1 | oral | J02AC01
itraconazole | | capsule | 100 mg | 100 mg | capsule | capsule | 1 | oral | J02AC02
aciclovir | | tablet | 400 mg | 400 mg | tablet | tablet | 1 | oral | J05AB01
albendazole | | tablet | 400 mg | 400 mg | tablet | tablet | 1 | oral | P02CA03
artemether + lumefantrine | | tablet | 20 mg/120 mg | 20 mg | tablet | tablet | 1 | oral | P01BF01
hydroxychloroquine | | tablet | 200 mg | 200 mg | tablet | tablet | 1 | oral | P01BA02
paracetamol | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | N02BE01
paracetamol | | syrup | 120 mg/5 mL | 24 mg | mL | mL | 1 | oral | N02BE01
paracetamol | | suppository | 125 mg | 125 mg | suppository | suppository | 1 | rectal | N02BE01
ibuprofen | | tablet | 400 mg | 400 mg | tablet | tablet | 1 | oral | M01AE01
ibuprofen | | syrup | 100 mg/5 mL | 20 mg | mL | mL | 1 | oral | M01AE01
diclofenac | | tablet | 50 mg | 50 mg | tablet | tablet | 1 | oral | M01AB05
naproxen | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | M01AE02
celecoxib | | capsule | 200 mg | 200 mg | capsule | capsule | 1 | oral | M01AH01
acetylsalicylic acid | | tablet | 100 mg | 100 mg | tablet | tablet | 1 | oral | B01AC06
acetylsalicylic acid | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | N02BA01
codeine | | tablet | 30 mg | 30 mg | tablet | tablet | 1 | oral | R05DA04 | c
tramadol | | capsule | 50 mg | 50 mg | capsule | capsule | 1 | oral | N02AX02 | c
morphine | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | N02AA01 | c
oxycodone | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | N02AA05 | c
sumatriptan | | tablet | 50 mg | 50 mg | tablet | tablet | 1 | oral | N02CC01
gabapentin | | capsule | 300 mg | 300 mg | capsule | capsule | 1 | oral | N03AX12
pregabalin | | capsule | 75 mg | 75 mg | capsule | capsule | 1 | oral | N03AX16 | c
allopurinol | | tablet | 100 mg | 100 mg | tablet | tablet | 1 | oral | M04AA01
allopurinol | | tablet | 300 mg | 300 mg | tablet | tablet | 1 | oral | M04AA01
colchicine | | tablet | 0.5 mg | 0.5 mg | tablet | tablet | 1 | oral | M04AC01
methotrexate | | tablet | 2.5 mg | 2.5 mg | tablet | tablet | 1 | oral | L04AX03
azathioprine | | tablet | 50 mg | 50 mg | tablet | tablet | 1 | oral | L04AX01
prednisolone | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | H02AB06
prednisolone | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | H02AB06
dexamethasone | | tablet | 4 mg | 4 mg | tablet | tablet | 1 | oral | H02AB02
amlodipine | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | C08CA01
amlodipine | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | C08CA01
nifedipine | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | C08CA05
verapamil | | tablet | 80 mg | 80 mg | tablet | tablet | 1 | oral | C08DA01
diltiazem | | tablet | 60 mg | 60 mg | tablet | tablet | 1 | oral | C08DB01
enalapril | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | C09AA02
lisinopril | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | C09AA03
ramipril | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | C09AA05
losartan | | tablet | 50 mg | 50 mg | tablet | tablet | 1 | oral | C09CA01
valsartan | | tablet | 80 mg | 80 mg | tablet | tablet | 1 | oral | C09CA03
sacubitril + valsartan | | tablet | 49 mg/51 mg | 49 mg | tablet | tablet | 1 | oral | C09DX04
bisoprolol | | tablet | 2.5 mg | 2.5 mg | tablet | tablet | 1 | oral | C07AB07
bisoprolol | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | C07AB07
metoprolol | | tablet | 50 mg | 50 mg | tablet | tablet | 1 | oral | C07AB02
propranolol | | tablet | 40 mg | 40 mg | tablet | tablet | 1 | oral | C07AA05
hydrochlorothiazide | | tablet | 25 mg | 25 mg | tablet | tablet | 1 | oral | C03AA03
furosemide | | tablet | 40 mg | 40 mg | tablet | tablet | 1 | oral | C03CA01
spironolactone | | tablet | 25 mg | 25 mg | tablet | tablet | 1 | oral | C03DA01
hydralazine | | tablet | 25 mg | 25 mg | tablet | tablet | 1 | oral | C02DB02
hydroxyzine | | tablet | 25 mg | 25 mg | tablet | tablet | 1 | oral | N05BB01
doxazosin | | tablet | 4 mg | 4 mg | tablet | tablet | 1 | oral | C02CA04
digoxin | | tablet | 0.125 mg | 0.125 mg | tablet | tablet | 1 | oral | C01AA05
amiodarone | | tablet | 200 mg | 200 mg | tablet | tablet | 1 | oral | C01BD01
isosorbide mononitrate | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | C01DA14
glyceryl trinitrate | | tablet | 0.5 mg | 0.5 mg | tablet | tablet | 1 | sublingual | C01DA02
simvastatin | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | C10AA01
atorvastatin | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | C10AA05
atorvastatin | | tablet | 40 mg | 40 mg | tablet | tablet | 1 | oral | C10AA05
rosuvastatin | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | C10AA07
warfarin | | tablet | 3 mg | 3 mg | tablet | tablet | 1 | oral | B01AA03
warfarin | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | B01AA03
apixaban | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | B01AF02
rivaroxaban | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | B01AF01
dabigatran | | capsule | 150 mg | 150 mg | capsule | capsule | 1 | oral | B01AE07
clopidogrel | | tablet | 75 mg | 75 mg | tablet | tablet | 1 | oral | B01AC04
enoxaparin | | injection | 40 mg/0.4 mL | 40 mg | pen | pen | 1 | subcutaneous | B01AB05
metformin | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | A10BA02
metformin | | tablet | 850 mg | 850 mg | tablet | tablet | 1 | oral | A10BA02
gliclazide | | tablet | 80 mg | 80 mg | tablet | tablet | 1 | oral | A10BB09
glipizide | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | A10BB07
empagliflozin | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | A10BK03
sitagliptin | | tablet | 100 mg | 100 mg | tablet | tablet | 1 | oral | A10BH01
insulin human | | injection | 100 units/mL | 1 unit | unit | vial | 1000 | subcutaneous | A10AB01
insulin glargine | | injection | 100 units/mL | 1 unit | unit | pen | 300 | subcutaneous | A10AE04
levothyroxine | | tablet | 50 microgram | 0.05 mg | tablet | tablet | 1 | oral | H03AA01
levothyroxine | | tablet | 100 microgram | 0.1 mg | tablet | tablet | 1 | oral | H03AA01
carbimazole | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | H03BB01
omeprazole | | capsule | 20 mg | 20 mg | capsule | capsule | 1 | oral | A02BC01
pantoprazole | | tablet | 40 mg | 40 mg | tablet | tablet | 1 | oral | A02BC02
famotidine | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | A02BA03
metoclopramide | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | A03FA01
domperidone | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | A03FA03
ondansetron | | tablet | 4 mg | 4 mg | tablet | tablet | 1 | oral | A04AA01
loperamide | | capsule | 2 mg | 2 mg | capsule | capsule | 1 | oral | A07DA03
lactulose | | syrup | 3.35 g/5 mL | 670 mg | mL | mL | 1 | oral | A06AD11
oral rehydration salts | | powder | 20.5 g | 20500 mg | sachet | sachet | 1 | oral | A07CA
hyoscine butylbromide | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | A03BB01
zinc sulfate | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | A12CB01
salbutamol | | inhaler | 100 microgram/puff | 0.1 mg | puff | inhaler | 200 | inhaled | R03AC02
salbutamol | | nebuliser | 2.5 mg/2.5 mL | 2.5 mg | nebule | nebule | 1 | inhaled | R03AC02
beclometasone | | inhaler | 100 microgram/puff | 0.1 mg | puff | inhaler | 200 | inhaled | R03BA01
budesonide + formoterol | | inhaler | 160/4.5 microgram | 0.16 mg | puff | inhaler | 120 | inhaled | R03AK07
tiotropium | | inhaler | 18 microgram | 0.018 mg | puff | inhaler | 30 | inhaled | R03BB04
montelukast | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | R03DC03
theophylline | | tablet | 200 mg | 200 mg | tablet | tablet | 1 | oral | R03DA04
cetirizine | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | R06AE07
cetirizine | | syrup | 5 mg/5 mL | 1 mg | mL | mL | 1 | oral | R06AE07
loratadine | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | R06AX13
chlorphenamine | | tablet | 4 mg | 4 mg | tablet | tablet | 1 | oral | R06AB04
fluticasone | | nasal_spray | 50 microgram/spray | 0.05 mg | spray | bottle | 120 | nasal | R01AD08
sertraline | | tablet | 50 mg | 50 mg | tablet | tablet | 1 | oral | N06AB06
fluoxetine | | capsule | 20 mg | 20 mg | capsule | capsule | 1 | oral | N06AB03
citalopram | | tablet | 20 mg | 20 mg | tablet | tablet | 1 | oral | N06AB04
venlafaxine | | capsule | 75 mg | 75 mg | capsule | capsule | 1 | oral | N06AX16
mirtazapine | | tablet | 15 mg | 15 mg | tablet | tablet | 1 | oral | N06AX11
amitriptyline | | tablet | 25 mg | 25 mg | tablet | tablet | 1 | oral | N06AA09
moclobemide | | tablet | 150 mg | 150 mg | tablet | tablet | 1 | oral | N06AG02
lithium carbonate | | tablet | 300 mg | 300 mg | tablet | tablet | 1 | oral | N05AN01
haloperidol | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | N05AD01
risperidone | | tablet | 2 mg | 2 mg | tablet | tablet | 1 | oral | N05AX08
quetiapine | | tablet | 25 mg | 25 mg | tablet | tablet | 1 | oral | N05AH04
diazepam | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | N05BA01 | c
lorazepam | | tablet | 1 mg | 1 mg | tablet | tablet | 1 | oral | N05BA06 | c
zolpidem | | tablet | 10 mg | 10 mg | tablet | tablet | 1 | oral | N05CF02 | c
carbamazepine | | tablet | 200 mg | 200 mg | tablet | tablet | 1 | oral | N03AF01
phenytoin | | capsule | 100 mg | 100 mg | capsule | capsule | 1 | oral | N03AB02
valproate | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | N03AG01
lamotrigine | | tablet | 25 mg | 25 mg | tablet | tablet | 1 | oral | N03AX09
levetiracetam | | tablet | 500 mg | 500 mg | tablet | tablet | 1 | oral | N03AX14
levodopa + carbidopa | | tablet | 100 mg/25 mg | 100 mg | tablet | tablet | 1 | oral | N04BA02
folic acid | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | B03BB01
ferrous sulfate | | tablet | 200 mg | 200 mg | tablet | tablet | 1 | oral | B03AA07
calcium carbonate | | tablet | 1.25 g | 1250 mg | tablet | tablet | 1 | oral | A12AA04
colecalciferol | | capsule | 1000 units | 1000 unit | capsule | capsule | 1 | oral | A11CC05
potassium chloride | | tablet | 600 mg | 600 mg | tablet | tablet | 1 | oral | A12BA01
sildenafil | | tablet | 50 mg | 50 mg | tablet | tablet | 1 | oral | G04BE03
tamsulosin | | capsule | 0.4 mg | 0.4 mg | capsule | capsule | 1 | oral | G04CA02
finasteride | | tablet | 5 mg | 5 mg | tablet | tablet | 1 | oral | G04CB01
ethinylestradiol + levonorgestrel | | tablet | 30/150 microgram | 0.03 mg | tablet | tablet | 1 | oral | G03AA07
levonorgestrel | | tablet | 1.5 mg | 1.5 mg | tablet | tablet | 1 | oral | G03AD01
clotrimazole | | pessary | 500 mg | 500 mg | pessary | pessary | 1 | vaginal | G01AF02
clotrimazole | | cream | 1 % | | application | tube | - | skin | D01AC01
hydrocortisone | | cream | 1 % | | application | tube | - | skin | D07AA02
betamethasone | | cream | 0.1 % | | application | tube | - | skin | D07AC01
mupirocin | | ointment | 2 % | | application | tube | - | skin | D06AX09
permethrin | | cream | 5 % | | application | tube | - | skin | P03AC04
chloramphenicol | | eye_drops | 0.5 % | | drop | bottle | 200 | eye | S01AA01
timolol | | eye_drops | 0.5 % | | drop | bottle | 100 | eye | S01ED01
latanoprost | | eye_drops | 50 microgram/mL | | drop | bottle | 80 | eye | S01EE01
ciprofloxacin | | ear_drops | 0.3 % | | drop | bottle | 100 | ear | S02AA15
adrenaline | | injection | 0.3 mg | 0.3 mg | pen | pen | 1 | intramuscular | C01CA24
fentanyl | | patch | 25 microgram/h | | patch | patch | 1 | skin | N02AB03 | c
"""


@functools.cache
def atc_of() -> dict[str, str]:
    """The ATC code of each substance that stands alone in a product of the list."""
    rows = ([cell.strip() for cell in line.split("|")] for line in LINES.strip().splitlines())
    return {cells[0]: cells[9] for cells in rows if "+" not in cells[0]}

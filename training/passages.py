"""Passages of our own, on which the export sees how large the network's numbers get. Any news prose would do."""

CALIBRATION = (
    "Minister promises new bridge over the Kala\n\nNAIROBI (Example Wire) — Transport Minister Wanjiru Otieno said on "
    "Tuesday that the government would rebuild the bridge over the Kala by December.\n\n“We have lost a year, and we "
    "will not lose another,” Otieno told reporters in Mombasa. She denied that the money had been spent elsewhere.\n\n"
    "According to the World Bank, the work will cost $40 million.\n",
    'LIMA, March 3 - Peru\'s central bank kept its rate at 4.75% on Thursday. "Inflation is where we want it to be," '
    "said governor Ana Quispe, who asked lawmakers not to touch the bank's reserves. Two officials, speaking on the "
    "condition of anonymity because they were not allowed to talk to the press, warned that the truce would not hold.",
    "PM: 'WE WILL NOT SIGN'\nThe premier's office confirmed that talks with Germany, France and the EU had broken off. "
    "It was reported that a draft had been leaked; the foreign ministry declined to comment. Critics believe the deal "
    "was dead from the start, a spokesman for the Green party told Example News by phone.",
    "The Indian Army accused Pakistani troops of firing across the Line of Control in Kashmir on Monday night, a "
    "charge that Islamabad called “baseless”. The UN Security Council (UNSC) is expected to meet on Friday, "
    "diplomats said. Gen. R. K. Menon, 58, who leads the northern command, vowed to “answer every bullet”.",
    "Tsunami warning lifted. No injuries were reported. Roads reopened at 6 a.m.; schools in Aceh, Padang and Medan "
    "stay shut until 12 January 2026. @example_user https://example.org/a?b=1 #flood — 100% 3rd 1990s U.S. Ms. O’Neil",
)

"""The page's texts in English and Indonesian, by name; what varies stands in braces."""

from typing import Final, Literal

Language = Literal["en", "id"]

TEXTS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "title": "Memory and workload",
        "of_learner": "Learner {id}",
        "of_cohort": "Cohort: {cohort}",
        "sampled": "{looked_at:,} of {learners:,} learners looked at (the same sample each time)",
        "all_looked_at": "{learners:,} learners",
        "cohort_all": "all active learners",
        "cohort_fsrs": "learners on FSRS",
        "cohort_sm2": "learners on SM-2",
        "cohort_premium": "premium learners",
        "cohort_level": "learners at level {level}",
        "period": "{since} to {until} (local days), made {made_at} UTC",
        "tile_retention": "True retention",
        "tile_retention_note": "{recalled:,} of {reviews:,} reviews recalled",
        "tile_answers": "Answers",
        "tile_answers_note": "{per_day:.1f} a day, {hours:.1f} hours in all",
        "tile_due": "Due today",
        "tile_due_note": "{overdue:,} of them overdue",
        "tile_new": "New cards waiting",
        "tile_new_note": "never reviewed yet",
        "none": "none",
        "retention": "True retention over time",
        "retention_about": (
            "Share of reviews that were recalled, week by week. A review is the first answer of a local day to an item "
            "answered on an earlier day. Band: 95 % interval of confidence; bars: reviews in the week."
        ),
        "retention_empty": "No reviews in this time: an item counts from its second day on.",
        "retention_y": "recalled (%)",
        "reviews_y": "reviews",
        "week_x": "week beginning",
        "desired": "desired retention {share:.0%}",
        "series_retention": "recalled",
        "stability": "Stability of memory",
        "stability_about": (
            "Cards in study by how long their memory lasts: FSRS's stability, the days until recall falls to 90 %; for "
            "cards that SM-2 schedules, their interval. New and suspended cards are left out."
        ),
        "stability_empty": "No cards in study yet.",
        "stability_x": "days until recall falls to 90 %",
        "cards_y": "cards",
        "series_fsrs": "FSRS: stability (n = {n:,})",
        "series_sm2": "SM-2: interval (n = {n:,})",
        "forecast": "Due cards of the next 30 days",
        "forecast_about": (
            "What is scheduled now. Answers to come will schedule more within this time, most of all of new and "
            "forgotten "
            "cards; overdue cards stand under today, before any daily limit."
        ),
        "forecast_empty": "Nothing is due in the next 30 days.",
        "forecast_x": "local day",
        "series_due": "due on the day (n = {n:,})",
        "series_overdue": "overdue (n = {n:,})",
        "calibration": "Calibration: predicted and seen recall",
        "calibration_about": (
            "Reviews in groups of equal size by their predicted recall. On the dashed line prediction and observation "
            "agree; below it recall was worse than foreseen. Bars: 95 % interval of confidence. FSRS is shown with the "
            "parameters in use now; where these are a learner's own fit, it has seen the earlier of these "
            "reviews. SM-2 "
            "predicts nothing itself: its interval is taken for the time in which recall falls to 90 %."
        ),
        "calibration_empty": "Too few reviews: at least {least} on later days than the item's last answer are needed.",
        "calibration_x": "predicted recall (%)",
        "calibration_y": "seen recall (%)",
        "ideal": "agreement",
        "series_fsrs_n": "FSRS (n = {n:,})",
        "series_sm2_n": "SM-2 (n = {n:,})",
        "quality": "How well reviews were foreseen",
        "quality_about": "Smaller log-loss and RMSE(bins) are better; larger AUC is better (0.5: chance).",
        "scheduler": "scheduler",
        "reviews": "reviews",
    },
    "id": {
        "title": "Ingatan dan beban belajar",
        "of_learner": "Pelajar {id}",
        "of_cohort": "Kelompok: {cohort}",
        "sampled": "{looked_at:,} dari {learners:,} pelajar diamati (sampel yang selalu sama)",
        "all_looked_at": "{learners:,} pelajar",
        "cohort_all": "semua pelajar aktif",
        "cohort_fsrs": "pelajar dengan FSRS",
        "cohort_sm2": "pelajar dengan SM-2",
        "cohort_premium": "pelajar premium",
        "cohort_level": "pelajar tingkat {level}",
        "period": "{since} sampai {until} (hari setempat), dibuat {made_at} UTC",
        "tile_retention": "Retensi sebenarnya",
        "tile_retention_note": "{recalled:,} dari {reviews:,} ulangan diingat",
        "tile_answers": "Jawaban",
        "tile_answers_note": "{per_day:.1f} per hari, seluruhnya {hours:.1f} jam",
        "tile_due": "Jatuh tempo hari ini",
        "tile_due_note": "{overdue:,} di antaranya terlambat",
        "tile_new": "Kartu baru menunggu",
        "tile_new_note": "belum pernah diulang",
        "none": "tidak ada",
        "retention": "Retensi sebenarnya dari waktu ke waktu",
        "retention_about": (
            "Bagian ulangan yang diingat, minggu demi minggu. Ulangan adalah jawaban pertama pada suatu hari "
            "setempat untuk "
            "butir yang sudah dijawab pada hari sebelumnya. Pita: selang kepercayaan 95 %; batang: jumlah ulangan."
        ),
        "retention_empty": "Tidak ada ulangan dalam waktu ini: sebuah butir dihitung mulai hari keduanya.",
        "retention_y": "diingat (%)",
        "reviews_y": "ulangan",
        "week_x": "minggu mulai",
        "desired": "retensi yang diinginkan {share:.0%}",
        "series_retention": "diingat",
        "stability": "Kestabilan ingatan",
        "stability_about": (
            "Kartu yang dipelajari menurut lamanya ingatan bertahan: stabilitas FSRS, yaitu hari sampai daya "
            "ingat turun ke "
            "90 %; untuk kartu SM-2, jaraknya. Kartu baru dan yang ditangguhkan tidak dihitung."
        ),
        "stability_empty": "Belum ada kartu yang dipelajari.",
        "stability_x": "hari sampai daya ingat turun ke 90 %",
        "cards_y": "kartu",
        "series_fsrs": "FSRS: stabilitas (n = {n:,})",
        "series_sm2": "SM-2: jarak (n = {n:,})",
        "forecast": "Kartu jatuh tempo 30 hari mendatang",
        "forecast_about": (
            "Yang terjadwal saat ini. Jawaban mendatang akan menambah jadwal, terutama kartu baru dan yang "
            "terlupa; kartu "
            "terlambat ada pada hari ini, sebelum batas harian."
        ),
        "forecast_empty": "Tidak ada yang jatuh tempo dalam 30 hari mendatang.",
        "forecast_x": "hari setempat",
        "series_due": "jatuh tempo pada harinya (n = {n:,})",
        "series_overdue": "terlambat (n = {n:,})",
        "calibration": "Kalibrasi: daya ingat yang diramalkan dan yang terlihat",
        "calibration_about": (
            "Ulangan dalam kelompok sama besar menurut daya ingat yang diramalkan. Pada garis putus-putus ramalan dan "
            "kenyataan sama; di bawahnya daya ingat lebih buruk. Batang: selang kepercayaan 95 %. FSRS "
            "ditunjukkan dengan "
            "parameter yang dipakai sekarang; bila parameter itu milik pelajar sendiri, ia sudah melihat ulangan "
            "yang lebih "
            "awal. SM-2 sendiri tidak meramal: jaraknya dianggap waktu sampai daya ingat turun ke 90 %."
        ),
        "calibration_empty": "Terlalu sedikit ulangan: perlu sedikitnya {least} pada hari setelah jawaban terakhir.",
        "calibration_x": "daya ingat yang diramalkan (%)",
        "calibration_y": "daya ingat yang terlihat (%)",
        "ideal": "sama",
        "series_fsrs_n": "FSRS (n = {n:,})",
        "series_sm2_n": "SM-2 (n = {n:,})",
        "quality": "Seberapa baik ulangan diramalkan",
        "quality_about": "Log-loss dan RMSE(bins) lebih kecil lebih baik; AUC lebih besar lebih baik (0,5: kebetulan).",
        "scheduler": "penjadwal",
        "reviews": "ulangan",
    },
}

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.sources.date_forms import DateForm, contradict


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("M/D/YYYY", "6/9/2027", "2027-06-09"),
        ("M/D/YYYY", "06/09/2027", "2027-06-09"),
        ("MM/DD/YYYY", "6/9/2027", None),
        ("m/d/yyyy", "12/31/2026", "2026-12-31"),
        ("M/D/YYYY", "13/1/2027", None),
        ("M/D/YYYY", "2/29/2027", None),
        ("M/D/YYYY", "6/9/2027 12:00:00 AM", "2027-06-09"),
        ("M/D/YYYY", "6/9/2027 0:00", "2027-06-09"),
        ("M/D/YYYY", "6/9/2027 11:30:00 PM", None),
        ("M/D/YYYY", "on 6/9/2027", None),
        ("DD.MM.YYYY", "09.06.2027", "2027-06-09"),
        ("YYYYMMDD", "20270609", "2027-06-09"),
        ("D-MMM-YYYY", "9-JUN-2027", "2027-06-09"),
        ("D-MMM-YYYY", "9-XYZ-2027", None),
        ("MMM D, YYYY", "Jun 9, 2027", "2027-06-09"),
        ("M/D/YYYY", "6/9/0000", None),
        ("M/D/YYYY", "٦/٩/٢٠٢٧", None),
    ],
)
def test_a_form_reads_its_own_dates_and_no_others(form: str, text: str, day: str | None) -> None:
    assert DateForm(form).day(text) == day


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("M/D/YY", "do not say the century; say YYYY"),
        ("M/YYYY", "no way to write a date"),
        ("D/D/M/YYYY", "no way to write a date"),
        ("%m/%d/%Y", "no way to write a date"),
        ("MMMM D YYYY", "no way to write a date"),
        ("MDYYYY", "where nothing stands between, say MM and DD"),
        ("", "no way to write a date"),
    ],
)
def test_what_is_no_form_is_refused_with_what_one_is(form: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DateForm(form)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("M/D/YYYY", "D/M/YYYY", True),
        ("MM/DD/YYYY", "D/M/YYYY", True),
        ("YYYYMMDD", "DDMMYYYY", True),
        ("M/D/YYYY", "YYYY/M/D", False),
        ("M/D/YYYY", "M-D-YYYY", False),
        ("M/D/YYYY", "MM/DD/YYYY", False),
        ("D MMM YYYY", "MMM D YYYY", False),
    ],
)
def test_forms_contradict_that_read_one_text_as_two_days(one: str, other: str, found: bool) -> None:
    assert contradict(DateForm(one), DateForm(other)) is found
    assert contradict(DateForm(other), DateForm(one)) is found


@given(st.dates(), st.sampled_from(["M/D/YYYY", "DD.MM.YYYY", "YYYYMMDD", "D-MMM-YYYY"]))
def test_every_day_that_is_written_in_a_form_is_read_again(day: date, form: str) -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    written = {
        "M/D/YYYY": f"{day.month}/{day.day}/{day.year:04}",
        "DD.MM.YYYY": f"{day.day:02}.{day.month:02}.{day.year:04}",
        "YYYYMMDD": f"{day.year:04}{day.month:02}{day.day:02}",
        "D-MMM-YYYY": f"{day.day}-{months[day.month - 1]}-{day.year:04}",
    }
    assert DateForm(form).day(written[form]) == day.isoformat()

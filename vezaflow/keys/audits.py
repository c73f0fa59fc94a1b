"""The keys of a file of audited pages, and of the suite's `audit`. Only data."""

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import AUDIT_RUNS, FormFactor

AUDIT = Table(
    "audit",
    "an audit",
    "A file below `audit/`: pages that Lighthouse audits, as one logged-in user, and the scores that they must reach. "
    "`vezaflow audit` runs it; a suite's `audit` runs it around or in the load.",
    (
        Field(
            "audit",
            Kind.TEXT,
            "The audit's name, in every report.",
            "pages",
            default="the file's name without its ending",
        ),
        Field("description", Kind.TEXT, "What is audited.", "The pages that listeners see."),
        Field(
            "base_url",
            Kind.URL,
            "The base of this file's URLs that start with `/`.",
            "https://www.staging.veza.fr",
            default="the suite's",
        ),
        Field(
            "vars",
            Kind.VARIABLES,
            "Variables for the login and the pages.",
            '{user: "${env.AUDIT_USER}"}',
            tables=("computed value",),
        ),
        Field(
            "login",
            Kind.STEPS,
            "Steps that run once before the pages are audited. The browser gets their cookies.",
            "[{post: /login, form: {email: listener@veza.fr, password: sandbox}}]",
        ),
        Field(
            "local_storage",
            Kind.TREE,
            "Items of the local storage of the first page's origin, set before each page is loaded.",
            '{token: "${token}"}',
            default="none",
        ),
        Field(
            "pages",
            Kind.PAGES,
            "The pages: their names, and their paths.",
            "{login: /login, dashboard: /dashboard}",
            required=True,
            tables=("page",),
        ),
        Field(
            "runs",
            Kind.NUMBER,
            "How often each page is audited; the median run counts.",
            "3",
            default=str(AUDIT_RUNS),
        ),
        Field(
            "form_factor",
            Kind.CHOICE,
            "What the browser simulates: a phone on a slow network, or a desktop computer.",
            "desktop",
            choices=tuple(each.value for each in FormFactor),
            default="mobile, as in Lighthouse",
        ),
        Field("timeout", Kind.DURATION, "The maximum time of one run.", "90s", default="2m"),
        Field(
            "gates",
            Kind.PAGE_GATES,
            "Conditions that every page must meet, or the one of the label `page`.",
            "{lighthouse.performance: score >= 90}",
        ),
    ),
)

PAGE = Table(
    "page",
    "a page",
    "A page with options. Short form: the path alone.",
    (
        Field("path", Kind.URL, "The page's path or URL.", "/dashboard", required=True),
        Field(
            "redirects",
            Kind.SWITCH,
            "Whether the page may lead to another URL. Otherwise the page is inconclusive then: what was audited is "
            "another page, such as the login.",
            "true",
            default="false",
        ),
    ),
)

ORDERS = Table(
    "audits of a run",
    "the audits of a run",
    "The files below `audit/` that a run of the suite audits, and when.",
    (
        Field("before", Kind.TEXTS, "Audited before the load.", "audit/pages.yml", default="none"),
        Field(
            "during",
            Kind.TEXTS,
            "Audited during the load, on another core where there is one: what the pages feel like under load.",
            "audit/pages.yml",
            default="none",
        ),
        Field("after", Kind.TEXTS, "Audited after the load.", "audit/pages.yml", default="none"),
    ),
)

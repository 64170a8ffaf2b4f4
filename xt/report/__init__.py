"""One self-contained HTML file of a study: what was run, what each analysis notebook found, the limits, the claims.

`write_report` runs the notebooks on the study, `render_report` makes the page of them by nbconvert and one template.
The page holds no script and asks nothing of a network; what comes from data is escaped or sanitized.
"""

from xt.report.contents import split_notebook
from xt.report.page import render_report, write_report

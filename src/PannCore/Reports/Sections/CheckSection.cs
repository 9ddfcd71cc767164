using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>The independent checks and the identity, with what was found.</summary>
internal static class CheckSection
{
    public static void Write(Markup page, RunRecord record)
    {
        page.Element("p", "The split of the error adds up by construction, whatever the terms are, so its residual proves only the bookkeeping. "
            + "The other checks are independent of it: wrong coefficients or a wrong kernel keep the identity, but not these bounds.");
        if (record.Checks.Count == 0) page.Element("p", "No independent check was recorded in this run.", ("class", "failed"));
        if (record.Unbounded is { Count: > 0 } unbounded)
            page.Element("p", $"Not checked is the approximation at {Figures.Count(unbounded.Count, "activation")}, because no bound of the distance from this ideal is known: {string.Join(", ", unbounded.Select(Figures.Name))}.");

        using var box = page.Box("Checks");
        using var table = page.Open("table");
        using (page.Open("thead"))
        using (page.Open("tr"))
        {
            foreach (string name in (string[])["Check", "Result", "Detail"]) page.Element("th", name, ("scope", "col"), ("class", "text"));
        }

        using var body = page.Open("tbody");
        foreach (CheckRecord check in record.Checks) Row(page, check);
    }

    private static void Row(Markup page, CheckRecord check)
    {
        using var row = page.Open("tr");
        page.Element("th", check.Name, ("scope", "row"));
        page.Element("td", check.Passed ? "✓ passed" : "✗ FAILED", ("class", check.Passed ? "passed text" : "failed text"));
        page.Element("td", check.Detail, ("class", "text"));
    }
}

using PannCore.Diagnostics;

namespace PannCore.Reports.Sections;

/// <summary>How near the inputs come to the ends of their ranges, when the first one would fall over, and what pushes further than photographs do.</summary>
internal static class RangeSection
{
    private const double Bar = 220;

    public static void Write(Markup page, RunRecord record)
    {
        RangeRecord ranging = record.Ranging!;
        page.Element("p", "Inside its range [-B, B] a polynomial is close to the function it stands for. Beyond, it grows like its highest power, and one input there can ruin an image. "
            + "Nothing warns of it under encryption, where nobody can look at the values: so the question is how much room is left.");
        Layers(page, ranging);
        if (ranging.Nearest.Count > 0) Nearest(page, record, ranging);
        if (ranging.Cliff is { } cliff) Cliff(page, record, cliff);
        if (ranging.Stress.Count > 0) Stress(page, ranging);
        if (ranging.Search is { } search) Search(page, search);
    }

    private static void Layers(Markup page, RangeRecord ranging)
    {
        page.Element("h3", "Room at each activation");
        page.Element("p", "The bar is the largest input that came, as a share of B; the stroke is B itself. Headroom is B over that input: below 1 inputs were outside. "
            + "An image that leaves a range for the first time is a root; if it leaves others further down, that may only be the consequence.");
        Axis axis = Share(ranging.Layers.Select(l => l.Largest / l.Range), Bar);
        using var box = page.Box("Room at each activation");
        using var table = page.Open("table");
        page.Head("Activation", "<Largest input over B", "|x| / B", "Headroom", "Range B", "Largest |x|", "in image", "Inputs outside", "Images, root", "Images, later");
        using var body = page.Open("tbody");
        foreach (LayerRange layer in ranging.Layers)
        {
            using (page.OperationRow(layer.Path))
            {
                ShareBar(page, layer.Largest / layer.Range, axis);
                page.Cells(Figures.Ratio(layer.Largest / layer.Range), Figures.Number(layer.Headroom), Figures.Number(layer.Range), Figures.Number(layer.Largest), layer.WorstImage < 0 ? "–" : Figures.Count(layer.WorstImage));
                Alarm(page, layer.OutOfRange);
                Alarm(page, layer.RootImages);
                page.Cells(Figures.Count(layer.ConsequenceImages));
            }

            page.Line();
        }
    }

    private static void Nearest(Markup page, RunRecord record, RangeRecord ranging)
    {
        page.Element("h3", "Images nearest to the end of a range");
        using var list = page.Open("ul", ("class", "gallery"));
        foreach (NearImage near in ranging.Nearest)
        {
            using var item = page.Open("li");
            FlipSection.Picture(page, record, near.Image);
            using var text = page.Open("p");
            page.Element("b", $"Image {Figures.Count(near.Image)}: {Figures.Ratio(near.Share)} of B");
            page.Text(" at ");
            page.OperationName(near.Path);
        }
    }

    private static void Cliff(Markup page, RunRecord record, Cliff cliff)
    {
        const double width = 1060, height = 300, left = 66, right = 1046, top = 24, bottom = 246;
        page.Element("h3", "When the first one falls");
        page.Element("p", "Tight ranges are precise ranges, since the polynomial's error is in proportion to them; but the tighter, the sooner an input falls out. So multiply all of them by one factor and watch. "
            + $"From the inputs as they are, the first one should fall out below {Figures.Number(cliff.PredictedFactor)} (at {Figures.Name(cliff.PredictedPath)}, image {Figures.Count(cliff.PredictedImage)}). "
            + $"Tried out, with the polynomials that belong to the other ranges, it falls out at {Figures.Number(cliff.FoundFactor)} (at {Figures.Name(cliff.FoundPath)}, image {Figures.Count(cliff.FoundImage)})"
            + (Figures.Number(cliff.PredictedFactor) != Figures.Number(cliff.FoundFactor) || (cliff.PredictedPath, cliff.PredictedImage) != (cliff.FoundPath, cliff.FoundImage) ? "; they differ because another polynomial sends other values on." : ".") + (cliff.FoundFactor > 1 ? " The factor is above 1: with the ranges as they are, inputs are outside already." : ""));
        RangeFactor[] steps = [.. cliff.Steps.Where(s => double.IsFinite(s.Factor) && double.IsFinite(s.Accuracy)).OrderByDescending(s => s.Factor)];
        if (steps.Length < 2) return;

        Axis x = Axis.Between(steps[^1].Factor, steps[0].Factor, right, left), y = Axis.Linear(0, 100, bottom, top);
        double Images(int count) => record.Images > 0 ? 100.0 * count / record.Images : 0;
        using (page.Open("figure"))
        {
            using (page.Box("Accuracy as ranges shrink"))
            using (page.Open("svg", ("class", "chart"), ("viewBox", $"0 0 {width} {height}"), ("role", "img"), ("aria-labelledby", "cliff-title")))
            {
                page.Element("title", $"As the ranges shrink from {Figures.Number(steps[0].Factor)} to {Figures.Number(steps[^1].Factor)} times their size, accuracy goes from {Figures.Accuracy(steps[0].Accuracy)} to "
                    + $"{Figures.Accuracy(steps[^1].Accuracy)}, at best {Figures.Accuracy(steps.Max(s => s.Accuracy))}.", ("id", "cliff-title"));
                Lines.Rows(page, y, left, right, t => Figures.Tick(t) + " %");
                Lines.Columns(page, x, top, bottom, Figures.Tick);
                Curve("curve", s => s.Accuracy);
                Curve("outside", s => Images(s.OutOfRangeImages));
                Curve("exploded", s => Images(s.ExplodedImages));
                if (cliff.FoundFactor >= x.Low && cliff.FoundFactor <= x.High)
                {
                    double at = x.At(cliff.FoundFactor);
                    page.Empty("line", ("class", "bound"), ("x1", at), ("x2", at), ("y1", top), ("y2", bottom));
                    page.Element("text", "first input outside", ("class", at > width / 2 ? "strong end" : "strong"), ("x", at + (at > width / 2 ? -6 : 6)), ("y", top + 12));
                }

                page.Element("text", "of all images", ("x", 4), ("y", 12));
                page.Element("text", "factor on all ranges, shrinking to the right", ("class", "end"), ("x", right), ("y", height - 6));
            }

            using (page.Open("ul", ("class", "legend")))
            {
                Sample("curve", "right answers");
                Sample("outside", "images with an input outside its range");
                Sample("exploded", "images in which a polynomial explodes");
            }
        }

        using var details = page.Open("details");
        page.Element("summary", "The same as a table");
        using var box = page.Box("Accuracy as ranges shrink, as a table");
        using var table = page.Open("table", ("class", "narrow"));
        page.Head("Factor", "Accuracy", "Images with an input outside", "Images that explode");
        using var body = page.Open("tbody");
        foreach (RangeFactor step in cliff.Steps)
        {
            using var row = page.Open("tr");
            page.Element("th", Figures.Number(step.Factor), ("scope", "row"));
            page.Cells(Figures.Accuracy(step.Accuracy), Figures.Count(step.OutOfRangeImages), Figures.Count(step.ExplodedImages));
        }

        void Curve(string kind, Func<RangeFactor, double> value)
            => page.Empty("path", ("class", kind), ("d", Lines.Through(steps.Select(s => (x.At(s.Factor), y.At(value(s)))))));

        void Sample(string kind, string meaning)
        {
            using var item = page.Open("li");
            using (page.Open("svg", ("width", 30), ("height", 16), ("aria-hidden", "true"))) page.Empty("path", ("class", kind), ("d", "M1 8H29"));
            page.Element("span", meaning);
        }
    }

    private static void Stress(Markup page, RangeRecord ranging)
    {
        page.Element("h3", "Images that are no photographs");
        page.Element("p", "Ranges are measured on photographs. What happens with an image that nobody thought of?");
        Axis axis = Share(ranging.Stress.Select(s => s.Share), Bar);
        using var box = page.Box("Images that are no photographs");
        using var table = page.Open("table", ("class", "narrow"));
        page.Head("Image", "<Largest input over B", "|x| / B", "<at", "<Outcome");
        using var body = page.Open("tbody");
        foreach (StressImage image in ranging.Stress)
        {
            using var row = page.Open("tr");
            using (page.Open("th", ("scope", "row")))
            {
                if (PictureData.Address(image.Pixels.Span) is { } address) page.Empty("img", ("src", address), ("width", 48), ("height", 48), ("alt", ""));
                page.Text(Figures.Name(image.Name));
            }

            ShareBar(page, image.Share, axis);
            page.Cells(Figures.Ratio(image.Share));
            using (page.Open("td", ("class", "text"))) page.OperationName(image.Path);
            page.Element("td", image.Exploded ? "✗ explodes" : image.Share > 1 ? "outside, but holds" : "✓ in range", ("class", image.Exploded ? "failed text" : image.Share > 1 ? "text" : "passed text"));
        }
    }

    private static void Search(Markup page, RangeSearch search)
    {
        page.Element("h3", "A search for the worst image");
        page.Element("p", $"Beginning with image {Figures.Count(search.Image)} ({Figures.Ratio(search.StartShare)} of B), {Figures.Count(search.Steps, "step")} along the gradient, every pixel remaining a value that an image can have, "
            + $"brought an input to {Figures.Ratio(search.Share)} of B at {Figures.Name(search.Path)}. "
            + (search.Exploded ? "A polynomial exploded there: whoever may choose the image can break this network." : search.Share > 1 ? "It is outside, but no polynomial exploded." : "It stayed in range; another search may find more."));
    }

    private static Axis Share(IEnumerable<double> shares, double width) => Axis.Linear(0, Math.Min(2, shares.Where(double.IsFinite).Append(1.05).Max()), 1, width - 1);

    private static void ShareBar(Markup page, double share, Axis axis)
    {
        using var cell = page.Open("td", ("class", "text"));
        using var svg = page.Open("svg", ("width", Bar), ("height", 14), ("aria-hidden", "true"));
        if (share > 0) page.Empty("rect", ("class", share > 1 ? "approximation" : "plain"), ("x", axis.At(0)), ("y", 3), ("width", Math.Max(1, axis.At(share) - axis.At(0))), ("height", 8));
        page.Empty("line", ("class", "total"), ("x1", axis.At(1)), ("x2", axis.At(1)), ("y1", 0), ("y2", 14));
    }

    private static void Alarm(Markup page, long count)
    {
        if (count > 0) page.Element("td", Figures.Count(count), ("class", "failed"));
        else page.Element("td", "0");
    }
}

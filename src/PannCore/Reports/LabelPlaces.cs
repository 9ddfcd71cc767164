namespace PannCore.Reports;

/// <summary>Places for labels next to the points of a drawing, where they cover neither points nor each other.</summary>
internal sealed class LabelPlaces
{
    /// <summary>About the width of a character.</summary>
    public const double CharacterWidth = 6.4;

    private const double CapitalWidth = 8.5;

    private const double Height = 13;

    private readonly double _left, _right, _top, _bottom;
    private readonly List<Box> _taken;

    /// <summary>A panel without labels.</summary>
    public LabelPlaces(double left, double right, double top, double bottom, IEnumerable<(double X, double Y)> points)
    {
        (_left, _right, _top, _bottom) = (left, right, top, bottom);
        _taken = [.. points.Select(at => new Box(at.X - 5, at.Y - 5, at.X + 5, at.Y + 5))];
    }

    /// <summary>Writes a label in the first of a few places next to a point where it covers nothing; where there is none, and it may be <paramref name="far"/>, farther off, with a line that leads to it; else nowhere.</summary>
    public void Write(Markup svg, (double X, double Y) at, string text, string style = "", bool far = true)
    {
        double width = text.Sum(character => char.IsAsciiLetterUpper(character) ? CapitalWidth : CharacterWidth);
        foreach ((double dx, double dy, bool led) in far ? Places : Places.Where(place => !place.Led))
        {
            double start = dx > 0 ? at.X + dx : dx < 0 ? at.X + dx - width : at.X - (width / 2), base0 = at.Y + dy;
            Box box = new(start, base0 - Height + 3, start + width, base0 + 3);
            if (box.Left < _left || box.Right > _right || box.Top < _top - 6 || box.Bottom > _bottom || _taken.Exists(box.Overlaps)) continue;
            _taken.Add(box);
            if (led) svg.Empty("line", ("style", "stroke: var(--ink); stroke-width: 0.5; opacity: 0.5"), ("x1", at.X), ("x2", dx < 0 ? box.Right + 2 : box.Left - 2), ("y1", at.Y), ("y2", base0 - 4));
            svg.Element("text", text, ("class", style + (dx < 0 ? " end" : "")), ("x", dx < 0 ? box.Right : box.Left), ("y", base0));
            return;
        }
    }

    private static readonly (double Dx, double Dy, bool Led)[] Places =
    [
        (8, 4, false), (6, -7, false), (6, 15, false), (-8, 4, false), (-6, 15, false), (-6, -7, false), (0, -9, false), (0, 17, false),
        .. from distance in (double[])[30, 45, 60, 80]
           from steep in (double[])[0.5, 0.2, 1]
           from side in (double[])[1, -1]
           from up in (double[])[-1, 1]
           select (side * distance * steep, (up * distance) + 4, true),
    ];

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }
}

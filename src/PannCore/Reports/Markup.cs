using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;

namespace PannCore.Reports;

/// <summary>One attribute of an element; its value is escaped when written.</summary>
internal readonly record struct Attr(string Name, string Value)
{
    public static implicit operator Attr((string Name, string Value) pair) => new(pair.Name, pair.Value);

    public static implicit operator Attr((string Name, double Value) pair) => new(pair.Name, Markup.Coordinate(pair.Value));
}

/// <summary>
/// Writes HTML with inline SVG that is also well-formed XML: <see cref="XmlWriter"/> balances the tags and escapes every text and
/// attribute, after <see cref="PlainText.Harmless"/>.
/// </summary>
internal sealed partial class Markup : IDisposable
{
    private readonly XmlWriter _xml;

    public Markup(TextWriter writer)
        => _xml = XmlWriter.Create(writer, new XmlWriterSettings { OmitXmlDeclaration = true, NewLineHandling = NewLineHandling.None });

    /// <summary>The number of the panel that shows an operation, by its path; what has one is written as a link to it.</summary>
    public IReadOnlyDictionary<string, int> Panels { get; init; } = new Dictionary<string, int>();

    /// <summary>Opens an element that is closed when the result is disposed.</summary>
    public Scope Open(string tag, params ReadOnlySpan<Attr> attributes)
    {
        Start(tag, attributes);
        return new Scope(_xml);
    }

    /// <summary>Opens a drawing that is a file of its own: its elements are in SVG's namespace.</summary>
    public Scope Drawing(params ReadOnlySpan<Attr> attributes)
    {
        _xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        Attributes(attributes);
        return new Scope(_xml);
    }

    /// <summary>An element with nothing but text in it.</summary>
    public void Element(string tag, string text, params ReadOnlySpan<Attr> attributes)
    {
        Start(tag, attributes);
        if (tag == "pre") _xml.WriteString(PlainText.Harmless(text)); // to be copied: every space as it was
        else Text(text);
        _xml.WriteFullEndElement();
    }

    /// <summary>A void HTML element or an SVG shape.</summary>
    public void Empty(string tag, params ReadOnlySpan<Attr> attributes)
    {
        Start(tag, attributes);
        _xml.WriteEndElement();
    }

    /// <summary>A box in which a wide table or drawing scrolls by itself, with the keyboard too.</summary>
    public Scope Box(string label, string kind = "box")
        => Open("div", ("class", kind), ("role", "region"), ("aria-label", label), ("tabindex", "0"));

    /// <summary>A text; a line never ends between a number and its per cent sign.</summary>
    public void Text(string text) => _xml.WriteString(NumberAndPercent().Replace(PlainText.Harmless(text), "\u00A0%"));

    /// <summary>The head of a table: one name per column; a name that begins with &lt; stands on the left, above texts and drawings.</summary>
    public void Head(params ReadOnlySpan<string> names)
    {
        using Scope head = Open("thead");
        using Scope row = Open("tr");
        foreach (string name in names)
        {
            if (name.StartsWith('<')) Element("th", name[1..], ("scope", "col"), ("class", "text"));
            else Element("th", name, ("scope", "col"));
        }
    }

    /// <summary>Opens a row that begins with an operation's name; the cells after it are for the caller.</summary>
    public Scope OperationRow(string path)
    {
        Scope row = Open("tr");
        using (Open("th", ("scope", "row"))) OperationName(path);
        return row;
    }

    /// <summary>Cells of a row, one for each text.</summary>
    public void Cells(params ReadOnlySpan<string> texts)
    {
        foreach (string text in texts) Element("td", text);
    }

    /// <summary>The name of an operation, its module's path set back, as a link to its panel where it has one.</summary>
    public void OperationName(string path)
    {
        bool linked = Panels.TryGetValue(path, out int panel);
        if (linked) Start("a", [("class", "path"), ("href", $"#op-{panel}"), ("data-op", panel)]);
        string name = Figures.Name(path);
        int cut = name.LastIndexOf('.') + 1;
        if (cut > 0) Element("span", name[..cut], ("class", "prefix"));
        Text(cut == 0 && name.Length == 0 ? "(no name)" : name[cut..]);
        if (linked) _xml.WriteFullEndElement();
    }

    /// <summary>A line end between elements, so that the file can be read and compared.</summary>
    public void Line() => _xml.WriteWhitespace("\n");

    /// <summary>Our own style sheet or script, or data in JSON whose writer escapes markup; never a text from a record.</summary>
    public void Verbatim(string tag, string content, params ReadOnlySpan<Attr> attributes)
    {
        Start(tag, attributes);
        _xml.WriteRaw(content);
        _xml.WriteFullEndElement();
    }

    public void Dispose() => _xml.Dispose();

    /// <summary>A drawing coordinate, to a hundredth of a pixel.</summary>
    public static string Coordinate(double value)
        => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture); // + 0.0 turns -0 into 0

    private void Start(string tag, ReadOnlySpan<Attr> attributes)
    {
        _xml.WriteStartElement(tag);
        Attributes(attributes);
    }

    private void Attributes(ReadOnlySpan<Attr> attributes)
    {
        foreach (Attr attribute in attributes) _xml.WriteAttributeString(attribute.Name, PlainText.Harmless(attribute.Value));
    }

    [GeneratedRegex("(?<=[0-9]) %")]
    private static partial Regex NumberAndPercent();

    /// <summary>An open element.</summary>
    internal readonly struct Scope(XmlWriter xml) : IDisposable
    {
        public void Dispose() => xml.WriteFullEndElement();
    }
}

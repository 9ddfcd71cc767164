using System.Globalization;
using System.Text;

namespace PannCore;

/// <summary>
/// Something the user supplied (a file, a specification text, a folder) is not what it should be.
/// The message is one line that names what was read, where, what was expected and what was found; control characters stand in it as <c>\u000A</c>, so that nothing that was read can forge lines,
/// and none of its four parts is longer than 1,000 characters, however long what was read is.
/// </summary>
public class BadInputException : Exception
{
    private const int LongestPart = 1_000, LongestMessage = 4 * LongestPart;

    /// <summary>An error whose one-line message is already complete.</summary>
    public BadInputException(string message) : base(Short(message, LongestMessage)) { }

    /// <summary>An error caused by another one, for instance a decompressor's.</summary>
    public BadInputException(string message, Exception inner) : base(Short(message, LongestMessage), inner) { }

    /// <summary>The message <c>what: at where: expected E, found F</c>.</summary>
    /// <param name="what">The file or text that was read.</param>
    /// <param name="where">The place in it, such as <c>byte 3073</c> or <c>key conv1.weight</c>.</param>
    /// <param name="expected">What should have been there.</param>
    /// <param name="found">What was there.</param>
    public static BadInputException At(string what, string where, string expected, string found)
        => new($"{Short(what, LongestPart)}: at {Short(where, LongestPart)}: expected {Short(expected, LongestPart)}, found {Short(found, LongestPart)}");

    /// <summary>One line of at most so many characters, and … where something is missing. Escapes count: a text of control characters is six times as long.</summary>
    private static string Short(string text, int most)
    {
        string begin = Cut(text, most), line = OneLine(begin), shown = Cut(line, most);
        return begin.Length == text.Length && shown.Length == line.Length ? shown : shown + "…";
    }

    private static string Cut(string text, int most) => text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];

    /// <summary>A text with control characters and what else breaks a line as <c>\u000A</c>, lone surrogates as U+FFFD.</summary>
    internal static string OneLine(ReadOnlySpan<char> text)
    {
        var line = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                line.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
            else
                line.Append(rune);
        }
        return line.ToString();
    }
}

using System.Globalization;
using System.Text;

namespace PannCore;

/// <summary>
/// Something the user supplied (a file, a specification text, a folder) is not what it should be.
/// The message is one line that names what was read, where, what was expected and what was found; control characters stand in it as <c>\u000A</c>, so that nothing that was read can forge lines,
/// and it ends after 2,000 characters, however long what was found is.
/// </summary>
public class BadInputException : Exception
{
    private const int LongestMessage = 2_000;

    /// <summary>An error whose one-line message is already complete.</summary>
    public BadInputException(string message) : base(Short(message)) { }

    /// <summary>An error caused by another one, for instance a decompressor's.</summary>
    public BadInputException(string message, Exception inner) : base(Short(message), inner) { }

    /// <summary>The message <c>what: at where: expected E, found F</c>.</summary>
    /// <param name="what">The file or text that was read.</param>
    /// <param name="where">The place in it, such as <c>byte 3073</c> or <c>key conv1.weight</c>.</param>
    /// <param name="expected">What should have been there.</param>
    /// <param name="found">What was there.</param>
    public static BadInputException At(string what, string where, string expected, string found)
        => new($"{what}: at {where}: expected {expected}, found {found}");

    private static string Short(string text) => text.Length <= LongestMessage ? OneLine(text) : OneLine(text.AsSpan(0, LongestMessage)) + "…";

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

using System.Collections;
using System.Reflection;
using System.Text.Json.Serialization;
using Xunit;

namespace PannCore.Tests.Support;

/// <summary>
/// Equality of plain data by content. A record's own equality compares lists and dictionaries by reference and doubles by value; this one compares lists element by element,
/// dictionaries key by key, doubles bit by bit, and everything else by its public properties, whatever properties are added later.
/// </summary>
internal static class Content
{
    /// <summary>Fails with the place of the first difference.</summary>
    /// <param name="expected">What should be.</param>
    /// <param name="actual">What is.</param>
    /// <param name="onlyJson">Leave out what is not part of the JSON.</param>
    public static void Same(object? expected, object? actual, bool onlyJson = false) => Same(expected, actual, "$", onlyJson);

    private static void Same(object? expected, object? actual, string at, bool onlyJson)
    {
        if (expected is null || actual is null)
        {
            Assert.True(expected is null && actual is null, $"{at}: expected {expected ?? "null"}, found {actual ?? "null"}");
            return;
        }
        switch (expected)
        {
            case double x:
                double y = Assert.IsType<double>(actual);
                Assert.True(BitConverter.DoubleToInt64Bits(x) == BitConverter.DoubleToInt64Bits(y), FormattableString.Invariant($"{at}: expected the bits of {x:R}, found those of {y:R}"));
                return;
            case string or bool or int or long:
                Assert.True(expected.Equals(actual), $"{at}: expected {expected}, found {actual}");
                return;
            case ReadOnlyMemory<byte> bytes:
                Assert.True(bytes.Span.SequenceEqual(((ReadOnlyMemory<byte>)actual).Span), $"{at}: expected other bytes");
                return;
            case IReadOnlyDictionary<string, string> texts:
                Assert.Equal(texts.OrderBy(pair => pair.Key, StringComparer.Ordinal), ((IReadOnlyDictionary<string, string>)actual).OrderBy(pair => pair.Key, StringComparer.Ordinal));
                return;
            case IEnumerable list:
                object?[] these = [.. list.Cast<object?>()], those = [.. ((IEnumerable)actual).Cast<object?>()];
                Assert.True(these.Length == those.Length, $"{at}: expected {these.Length} elements, found {those.Length}");
                for (int i = 0; i < these.Length; i++) Same(these[i], those[i], $"{at}[{i}]", onlyJson);
                return;
        }
        Assert.Equal(expected.GetType(), actual.GetType());
        foreach (PropertyInfo property in expected.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            if (onlyJson && property.GetCustomAttribute<JsonIgnoreAttribute>() is { Condition: JsonIgnoreCondition.Always }) continue;
            Same(property.GetValue(expected), property.GetValue(actual), $"{at}.{property.Name}", onlyJson);
        }
    }
}

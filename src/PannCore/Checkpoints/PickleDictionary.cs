namespace PannCore.Checkpoints;

/// <summary>
/// A Python dictionary as the file wrote it: pairs in order. Nothing is hashed, so that a file cannot choose keys that collide;
/// of equal keys the last one counts, as in Python.
/// </summary>
internal sealed class PickleDictionary
{
    private readonly List<(object? Key, object? Value)> _items = [];

    internal IReadOnlyList<(object? Key, object? Value)> Items => _items;

    internal void Add(object? key, object? value) => _items.Add((key, value));

    /// <summary>The value of a text key; null where there is none.</summary>
    internal object? Find(string key) => _items.FindLast(item => item.Key is string text && text == key).Value;
}

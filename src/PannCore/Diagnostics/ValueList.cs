using System.Collections.ObjectModel;

namespace PannCore.Diagnostics;

/// <summary>A list that equals every other with equal elements, as the values of a record should.</summary>
internal sealed class ValueList<T>(IEnumerable<T> values) : ReadOnlyCollection<T>([.. values]), IEquatable<ValueList<T>>
{
    public bool Equals(ValueList<T>? other) => other is not null && this.SequenceEqual(other);

    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    public override int GetHashCode() => this.Aggregate(Count, HashCode.Combine);
}

namespace PannCore.Engine;

/// <summary>Small objects that no one needs after the run that took them, kept for the next run.</summary>
internal sealed class Spares<T> where T : class, new()
{
    private readonly List<T> _all = [];
    private int _taken;

    /// <summary>An object in the state in which an earlier run left it, or a new one.</summary>
    public T Take()
    {
        if (_taken == _all.Count) _all.Add(new());
        return _all[_taken++];
    }

    /// <summary>The run that took them has ended.</summary>
    public void TakeBack() => _taken = 0;
}

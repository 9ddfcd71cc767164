namespace PannCore.Tests.Checkpoints;

/// <summary>A folder of one test's own, gone at its end.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("panncore-tests-");

    public string Root => _folder.FullName;

    public string[] FileNames => [.. _folder.GetFileSystemInfos().Select(f => f.Name).Order(StringComparer.Ordinal)];

    public string At(string name) => Path.Combine(Root, name);

    public string With(string name, byte[] content)
    {
        File.WriteAllBytes(At(name), content);
        return At(name);
    }

    /// <summary>A file that begins with these bytes and has a hole behind them: as long as asked, and it takes no room.</summary>
    public string WithHole(string name, byte[] begin, long length)
    {
        using FileStream file = File.Create(At(name));
        file.Write(begin);
        file.SetLength(begin.Length + length);
        return At(name);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

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

    public void Dispose() => _folder.Delete(recursive: true);
}

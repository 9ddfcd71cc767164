using System.Reflection;
using System.Text.RegularExpressions;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests;

/// <summary>Each layer of the library, a folder and namespace, uses only those it may: read from the compiled library, and from the sources, because constants are named only there.</summary>
public sealed partial class LayeringTests
{
    /// <summary>From the bottom up: a layer may use those before it. Kernels and Approximation use none, Engine only Kernels.</summary>
    private static readonly string[] Layers =
        ["Kernels", "Approximation", "Engine", "Ops", "Nn", "Data", "Checkpoints", "Training", "Diagnostics", "Experiments", "Reports"];

    private static readonly string Sources = Path.Combine(Repository(), "src", "PannCore");

    [Fact]
    public void NoLayerUsesOneAboveIt()
    {
        string[] breaches = [.. Files().SelectMany(file => Breaches(Layer(file), Path.GetRelativePath(Repository(), file), File.ReadLines(file)))];
        Assert.True(breaches.Length == 0, string.Join(Environment.NewLine, breaches));
    }

    /// <summary>Within PannCore a name needs no <c>using</c>, and what a call returns need not be named.</summary>
    [Fact]
    public void NoCompiledTypeUsesALayerAboveItsOwn()
    {
        Type[] types = typeof(PannCore.Engine.Tensor).Assembly.GetTypes();
        Assert.True(types.Count(type => Layer(type) is not null) > 300, $"only {types.Length} types found");
        string[] breaches = [.. types.SelectMany(type => Breaches(Layer(type), type))];
        Assert.True(breaches.Length == 0, string.Join(Environment.NewLine, breaches));
    }

    [Fact]
    public void FoldersAreLayersAndNamespaces()
    {
        string[] files = [.. Files()];
        Assert.True(files.Length > 50, $"only {files.Length} files found in {Sources}");
        Assert.All(files, file =>
        {
            string folder = Path.GetRelativePath(Sources, Path.GetDirectoryName(file)!), name = folder == "." ? "PannCore" : $"PannCore.{folder.Replace(Path.DirectorySeparatorChar, '.')}";
            Assert.Contains($"namespace {name};", File.ReadAllLines(file));
            if (Layer(file) is string layer) Assert.Contains(layer, Layers);
        });
    }

    [Theory]
    [InlineData("Kernels", "using PannCore.Engine;", false)]
    [InlineData("Approximation", "using PannCore.Kernels;", false)]
    [InlineData("Engine", "using PannCore.Kernels;", true)]
    [InlineData("Engine", "using PannCore.Approximation;", false)]
    [InlineData("Engine", "using static PannCore.Ops.Relu;", false)]
    [InlineData("Ops", "using Tensor = PannCore.Nn.Tensor;", false)]
    [InlineData("Ops", "using Tensor = PannCore.Engine.Tensor;", true)]
    [InlineData("Data", "    PannCore.Reports.HtmlReport.Write();", false)]
    [InlineData("Reports", "using PannCore.Reports.Sections;", true)]
    [InlineData("Engine", "global using PannCore.Training;", false)]
    [InlineData("Engine", "throw new PannCore.BadInputException();", true)]
    [InlineData("Engine", "// as PannCore.Training does", true)]
    public void ABreachIsSeen(string layer, string line, bool allowed)
        => Assert.Equal(allowed ? [] : [$"File.cs:1: {layer} may not use {Layers.First(l => line.Contains("PannCore." + l, StringComparison.Ordinal))}"], Breaches(layer, "File.cs", [line]));

    [Theory]
    [InlineData(typeof(IDeriving))]
    [InlineData(typeof(Holding))]
    [InlineData(typeof(Constraining<>))]
    [InlineData(typeof(Returning))]
    [InlineData(typeof(Taking))]
    [InlineData(typeof(Calling))]
    [InlineData(typeof(CallingLater))]
    [InlineData(typeof(Testing))]
    [InlineData(typeof(Catching))]
    public void ACompiledBreachIsSeen(Type type)
    {
        string[] Found(string layer) => [.. type.GetNestedTypes(BindingFlags.NonPublic).Prepend(type).SelectMany(part => Breaches(layer, part))];
        Assert.Contains(Found("Approximation"), breach => breach.EndsWith(": Approximation may not use Engine", StringComparison.Ordinal));
        Assert.Empty(Found("Ops"));
    }

    private static IEnumerable<string> Breaches(string? layer, Type type)
        => UsedTypes.Of(type).Select(Layer).Distinct().Where(used => layer is not null && used is not null && used != layer && !MayUse(layer, used)).Select(used => $"{type.FullName}: {layer} may not use {used}");

    /// <summary>Of a type in <c>PannCore.Reports.Sections</c> it is Reports; none of those in the root namespace and outside the library.</summary>
    private static string? Layer(Type type) => type.Namespace?.Split('.') is ["PannCore", string layer, ..] && Layers.Contains(layer) ? layer : null;

    private static IEnumerable<string> Breaches(string? layer, string file, IEnumerable<string> lines)
    {
        if (layer is null) yield break; // The root namespace is free.
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            if (line.TrimStart().StartsWith("//", StringComparison.Ordinal)) continue;
            foreach (Match match in Mention().Matches(line))
            {
                string used = match.Groups[1].Value;
                if (Layers.Contains(used) && used != layer && !MayUse(layer, used)) yield return $"{file}:{number}: {layer} may not use {used}";
            }
        }
    }

    private static bool MayUse(string layer, string used) => layer switch
    {
        "Kernels" or "Approximation" => false,
        "Engine" => used == "Kernels",
        _ => Array.IndexOf(Layers, used) < Array.IndexOf(Layers, layer),
    };

    private static IEnumerable<string> Files()
        => Directory.EnumerateFiles(Sources, "*.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetRelativePath(Sources, file).Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"));

    private static string? Layer(string file)
        => Path.GetRelativePath(Sources, file).Split(Path.DirectorySeparatorChar) is [string layer, _, ..] ? layer : null;

    private static string Repository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "PannCore.sln"))) return folder.FullName;
        }
        throw new InvalidOperationException($"no PannCore.sln above {AppContext.BaseDirectory}");
    }

    [GeneratedRegex(@"\bPannCore\.([A-Za-z]+)")]
    private static partial Regex Mention();

    private interface IDeriving : PannCore.Engine.IRunObserver;

    private sealed record Holding(object Held)
    {
        private readonly PannCore.Engine.Shape[] _shapes = Held as PannCore.Engine.Shape[] ?? [];

        public int Count => _shapes.Length;
    }

    private static class Constraining<T> where T : PannCore.Engine.Op;

    private static class Returning
    {
        public static List<PannCore.Engine.Op> None() => throw new NotSupportedException();
    }

    private static class Taking
    {
        public static void Nothing(ref PannCore.Engine.Op[] _) => throw new NotSupportedException();
    }

    private static class Calling
    {
        public static double Two() => PannCore.Engine.Rounding.Outwards(2);
    }

    private static class CallingLater
    {
        public static Func<double> Two() => () => PannCore.Engine.Rounding.Outwards(2);
    }

    private static class Testing
    {
        public static bool Of(object what) => what is PannCore.Engine.Op;
    }

    private static class Catching
    {
        public static void All(Action action)
        {
            try
            {
                action();
            }
            catch (PannCore.Engine.ShapeException)
            {
            }
        }
    }
}

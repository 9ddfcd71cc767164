using PannCore.Tests.Checkpoints;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>Wrong usage ends with code 2 and help with code 0, in the process that a user starts.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Recipes_are_listed_without_any_other_option()
    {
        Outcome outcome = PannProcess.Run(_folder.Root, "train", "--list");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.All(PannCore.Training.NamedRecipe.All, recipe => Assert.Matches($" {recipe.Name} +{System.Text.RegularExpressions.Regex.Escape(recipe.Purpose)} ", outcome.Out));
    }

    [Theory]
    [InlineData("--nope", "error: Unrecognized command or argument '--nope'.\nsee: pann --help\n")]
    [InlineData("insect", "error: Unrecognized command or argument 'insect'.\nsee: pann --help\n")]
    [InlineData("inspect --images 0", "error: --images: expected at least 1, found 0\nsee: pann inspect --help\n")]
    [InlineData("eval --threads many --batch -1", "error: --threads: expected a whole number, found 'many'\nerror: --batch: expected at least 1, found -1\nsee: pann eval --help\n")]
    [InlineData("train --epochs 1 --out model.pt", "error: --out: expected a name that ends in .safetensors, found model.pt\nsee: pann train --help\n")]
    [InlineData("train --learning-rate 0,05 --out m.safetensors", "error: --learning-rate: expected a number with a point, found '0,05'\nsee: pann train --help\n")]
    [InlineData("eval --margin 1,05", "error: --margin: expected a number with a point, found '1,05'\nsee: pann eval --help\n")]
    [InlineData("reproduce decay --minutes 1,5", "error: --minutes: expected a number with a point, found '1,5'\nsee: pann reproduce decay --help\n")]
    [InlineData("train --save-every 0", "error: --save-every: expected at least 1, found 0\nerror: Option '--out' is required.\nsee: pann train --help\n")]
    [InlineData("inspect --patch", "error: Required argument missing for option: '--patch'.\nsee: pann inspect --help\n")]
    [InlineData("--json x.json --quick eval", "error: --json: expected after the verb, found before it\nsee: pann eval --help\n")]
    [InlineData("--images 5 reproduce decay", "error: --images: expected after the verb, found before it\nsee: pann reproduce decay --help\n")]
    [InlineData("cost --levels 0", "error: --levels: expected at least 1, found 0\nsee: pann cost --help\n")]
    [InlineData("cost model.safetensors --arch resnet20", "error: cost: expected one of MODEL, --model and --arch\nsee: pann cost --help\n")]
    [InlineData("eval --activation direct:4 --margin 0.5", "error: --margin: expected a number of at least 1, found 0.5\nsee: pann eval --help\n")]
    [InlineData("data", "error: data: expected one of fetch, verify, sample, found none\nsee: pann data --help\n")]
    public void Wrong_usage_ends_with_2(string line, string error)
    {
        Outcome outcome = PannProcess.Run(_folder.Root, line.Split(' '));
        Assert.Equal((2, "", Sorted(error)), (outcome.Code, outcome.Out, Sorted(outcome.Error)));
        Assert.Empty(_folder.FileNames);

        // In which order the grammar reports several errors is its own affair.
        static string Sorted(string lines) => string.Join('\n', lines.Split('\n').Order(StringComparer.Ordinal));
    }

    /// <summary>Checks of an option's value see it before it is known to be a number.</summary>
    [Fact]
    public void What_is_no_number_is_refused_by_every_option()
    {
        System.CommandLine.RootCommand root = PannCore.Cli.Pann.Root();
        int options = 0;
        void Try(System.CommandLine.Command command, string[] path)
        {
            foreach (System.CommandLine.Option option in command.Options.Where(option => (Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType).IsPrimitive && option.ValueType != typeof(bool)))
            {
                // A check of the whole command may come first; what is asked for here is that none throws.
                Assert.Contains(root.Parse([.. path, option.Name, "abc"]).Errors, error => error.SymbolResult is System.CommandLine.Parsing.CommandResult || error.Message.Contains($"'{option.Name}'", StringComparison.Ordinal));
                options++;
            }
            foreach (System.CommandLine.Command below in command.Subcommands) Try(below, [.. path, below.Name]);
        }
        Try(root, []);
        Assert.True(options > 80, $"only {options} options are numbers");
    }

    [Theory]
    [InlineData("", "Example: pann inspect ")]
    [InlineData("inspect", "Example: pann inspect ")]
    [InlineData("eval", "Example: pann eval ")]
    [InlineData("train", "Example: pann train ")]
    [InlineData("repair", "Example: pann repair ")]
    [InlineData("approx", "Example: pann approx composite:alpha=9")]
    [InlineData("sweep", "Example: pann sweep ")]
    [InlineData("compare", "Example: pann compare ")]
    [InlineData("advise", "Example: pann advise ")]
    [InlineData("cost", "Example: pann cost ")]
    [InlineData("bench", "Example: pann bench ")]
    [InlineData("reproduce", "Example: pann reproduce precision ")]
    [InlineData("data", "Example: pann data fetch")]
    public void Help_ends_with_0_and_shows_an_example(string verb, string example)
    {
        Outcome outcome = PannProcess.Run(_folder.Root, verb.Length == 0 ? ["--help"] : [verb, "--help"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains(outcome.Out.Split('\n'), line => line.Trim().StartsWith(example, StringComparison.Ordinal));
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Tests.Checkpoints;
using PannCore.Tests.Diagnostics;
using Xunit;

namespace PannCore.Tests.Cli;

/// <summary>Training that is killed or interrupted at any moment ends, after --resume, with the same bits as training in one go.</summary>
public sealed class ResumeTests : IClassFixture<ResumeTests.InOneGo>
{
    private const int Steps = 2 * InOneGo.StepsPerEpoch;

    private readonly InOneGo _whole;

    public ResumeTests(InOneGo whole) => _whole = whole;

    [Fact]
    public void In_one_go()
    {
        Assert.Equal((0, ""), (_whole.Outcome.Code, _whole.Outcome.Error));
        Assert.Matches(@"^epoch   1/2  loss [0-9]+\.[0-9]{4}  train [0-9.]+ %  validation [0-9.]+ %  [0-9]+ images/s  0:[0-9:]+ left\nepoch   2/2 .* 0:00:00 left\nmodel: .*whole\.safetensors\n$", _whole.Outcome.Out);
        // The state is gone, the model and the record are there, and nothing else.
        Assert.Equal(["images.bin", "whole.json", "whole.safetensors"], _whole.Folder.FileNames.Where(name => name.StartsWith("whole", StringComparison.Ordinal) || name == "images.bin"));

        using var document = JsonDocument.Parse(File.ReadAllBytes(_whole.Folder.At("whole.json")));
        JsonElement root = document.RootElement;
        Assert.Equal(["epochs", "validationAccuracy"], root.EnumerateObject().Select(p => p.Name));
        JsonElement[] epochs = [.. root.GetProperty("epochs").EnumerateArray()];
        Assert.Equal(2, epochs.Length);
        Assert.All(epochs, epoch => Assert.Equal(["epoch", "trainLoss", "trainAccuracy", "validationAccuracy", "imagesPerSecond"], epoch.EnumerateObject().Select(p => p.Name)));
        Assert.Equal(epochs[1].GetProperty("validationAccuracy").GetDouble(), root.GetProperty("validationAccuracy").GetDouble());

        // The model file carries the ranges of its own weights over the images learnt from, without those held out, and how it was made.
        int[] learnt = Split.Balanced(InOneGo.Images, 10, seed: 9).Training;
        (ResNet model, ModelDescription said) = ModelFile.Load(_whole.Model);
        using var workspace = new Workspace(1, ConvAlgorithm.Winograd4);
        Assert.Equal(
            RangeProbe.Calibrate(model, InOneGo.Images, learnt, said.Normalization, workspace),
            said.LargestInputs);
        Assert.Equal((learnt.Length, "9"), (said.CalibrationImages, said.Notes["seed"]));
        Assert.Equal(
            "pann train --arch resnet20 --epochs 2 --batch 8 --learning-rate 0.1 --warmup 1 --weight-decay 0.0005 --validation 10 --seed 9 --convolution winograd4 --out model.safetensors", said.Notes["command"]);
    }

    [Fact]
    public void Killed_again_and_again()
    {
        const int mostKills = 8;
        int seed = Environment.TickCount;
        var random = new CounterRandom(seed, RandomStream.Order, 0);
        string file = _whole.Folder.At("killed.safetensors"), state = file + ".state";
        var moments = new List<string>();
        int kills = 0;
        string Story() => $"{string.Join(", ", moments)}; seed {seed}";
        for (int attempt = 0; !File.Exists(file); attempt++)
        {
            Assert.True(attempt < 3 * mostKills, $"no end: {Story()}");
            int before = Step(state);
            using PannProcess process = PannProcess.Start(_whole.Folder.Root, [.. InOneGo.Arguments(file), "--save-every", "1", .. before < 0 ? [] : (string[])["--resume"]]);
            if (kills < mostKills)
            {
                // Some time after it has got further than it was.
                while (!process.HasExited && Step(state) <= Math.Max(before, 0)) Thread.Sleep(2);
                Thread.Sleep(random.Below(attempt, 60));
                if (!process.HasExited) process.Kill();
            }
            Outcome end = process.Wait();
            moments.Add($"step {Step(state)}: code {end.Code}");
            Assert.True(end.Error == "", $"{end.Error}; {Story()}");
            if (end.Code != 0) kills++;
            // Where the machine is so busy that this test sleeps through the whole training, it begins again.
            else if (kills == 0) File.Delete(file);
        }
        AssertSameModel(file, Story());
        Assert.True(kills > 0, Story());
        Assert.DoesNotContain(_whole.Folder.FileNames, name => name.StartsWith("killed.", StringComparison.Ordinal) && name.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void Interrupted_by_Ctrl_C()
    {
        if (OperatingSystem.IsWindows()) return; // A console of its own would be needed to send Ctrl+C to.
        string file = _whole.Folder.At("interrupted.safetensors"), state = file + ".state";
        // Saved every 3 steps only: what it does when interrupted must save the step it had reached.
        Outcome Interrupt()
        {
            using PannProcess process = PannProcess.Start(_whole.Folder.Root, [.. InOneGo.Arguments(file), "--save-every", "3"]);
            while (!process.HasExited && Step(state) < 3) Thread.Sleep(2);
            if (!process.HasExited) Signal(process.Id, "INT");
            return process.Wait();
        }
        // Where the machine is so busy that this test sleeps through the whole training, it is tried again.
        Outcome stopped = Interrupt();
        for (int again = 0; again < 3 && stopped.Code == 0; again++) stopped = Interrupt();
        Assert.Equal((1, $"stopped; continue with the same command and --resume ({state})\n"), (stopped.Code, stopped.Error));
        int step = Step(state);
        Assert.InRange(step, 3, Steps);

        Outcome resumed = PannProcess.Run(_whole.Folder.Root, [.. InOneGo.Arguments(file), "--resume"]);
        Assert.Equal((0, ""), (resumed.Code, resumed.Error));
        AssertSameModel(file, $"stopped at step {step}");
    }

    [Fact]
    public void Another_recipe_does_not_continue_it()
    {
        string file = _whole.Folder.At("other.safetensors"), state = file + ".state";
        // Where the machine is so busy that this test sleeps through the whole training, it is tried again.
        for (int tries = 0; tries < 4 && !File.Exists(state); tries++)
        {
            File.Delete(file);
            using PannProcess process = PannProcess.Start(_whole.Folder.Root, InOneGo.Arguments(file));
            while (!process.HasExited && !File.Exists(state)) Thread.Sleep(2);
            process.Kill();
            process.Wait();
        }
        byte[] before = File.ReadAllBytes(state);
        Outcome other = PannProcess.Run(_whole.Folder.Root, [.. InOneGo.Arguments(file), "--resume", "--learning-rate", "0.05"]);
        Assert.Equal((1, ""), (other.Code, other.Out));
        Assert.Equal($"error: {state}: at metadata recipe, learningRate: expected 0.05, found 0.1\n", other.Error);
        Assert.Equal(before, File.ReadAllBytes(state));
        Assert.False(File.Exists(file));
    }

    private void AssertSameModel(string file, string what)
    {
        SafeTensorsFile expected = SafeTensors.Read(_whole.Model), found = SafeTensors.Read(file);
        foreach ((NamedArray a, NamedArray b) in expected.Tensors.Values.Zip(found.Tensors.Values))
            Assert.True(a.Name == b.Name && a.Bytes.SequenceEqual(b.Bytes), $"{a.Name} differs: {what}");
        // Also what is said of it: history, ranges, recipe. So the files are equal byte by byte.
        Assert.Equal(expected.Metadata, found.Metadata);
        Assert.Equal(File.ReadAllBytes(_whole.Model), File.ReadAllBytes(file));
    }

    /// <summary>How many steps a state has behind it, -1 where there is none. It is replaced by renaming, so it can be read at any moment.</summary>
    private static int Step(string state)
    {
        if (!File.Exists(state)) return -1;
        try
        {
            IReadOnlyDictionary<string, string> metadata = SafeTensors.Read(state).Metadata;
            return (int.Parse(metadata["epoch"], CultureInfo.InvariantCulture) * InOneGo.StepsPerEpoch) + int.Parse(metadata["step"], CultureInfo.InvariantCulture);
        }
        catch (BadInputException e) when (e.Message.EndsWith("there is no such file", StringComparison.Ordinal))
        {
            return -1;
        }
    }

    private static void Signal(int process, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>The training that the others must equal.</summary>
    public sealed class InOneGo : IDisposable
    {
        public const int StepsPerEpoch = 6;

        public InOneGo()
        {
            using (FileStream stream = File.Create(Folder.At("images.bin"))) Images.Write(stream);
            Model = Folder.At("whole.safetensors");
            Outcome = PannProcess.Run(Folder.Root, [.. Arguments(Model), "--threads", "1", "--json", Folder.At("whole.json")]);
        }

        /// <summary>58 images, 10 of them held out: 6 steps of 8 an epoch.</summary>
        internal static PannCore.Data.Cifar10 Images { get; } = RandomNetwork.Sample.Select([.. Enumerable.Range(100, 58)]);

        internal TempFolder Folder { get; } = new();

        internal string Model { get; }

        internal Outcome Outcome { get; }

        public static string[] Arguments(string file)
            => ["train", "--data", "images.bin", "--epochs", "2", "--batch", "8", "--validation", "10", "--seed", "9", "--out", file];

        public void Dispose() => Folder.Dispose();
    }
}

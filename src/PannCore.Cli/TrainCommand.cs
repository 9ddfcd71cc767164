using System.CommandLine;
using System.CommandLine.Invocation;
using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Reports;
using PannCore.Training;

namespace PannCore.Cli;

/// <summary>The verb <c>pann train</c>. It never opens the test file.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Option<string> architecture = new("--arch") { HelpName = "NAME", Description = "resnet20, resnet32, resnet44, resnet56 or resnet110.", DefaultValueFactory = _ => "resnet20" };
        Option<bool> list = new("--list") { Description = "Show the named recipes and stop.", Action = new ListRecipes() };
        Option<string?> named = new("--recipe") { HelpName = "NAME", Description = "A named recipe (--list shows them); options given beside it overrule it." };
        Option<string?> tuned = new("--tune") { HelpName = "NAME", Description = "A named way to go on training the model of --init (--list shows them); options given beside it overrule it." };
        Option<int> epochs = CommonOptions.AtLeast(new Option<int>("--epochs") { HelpName = "N", Description = "Passes over the training images.", DefaultValueFactory = _ => 40 }, 1);
        Option<int> batch = new("--batch") { HelpName = "N", Description = "Images a step.", DefaultValueFactory = _ => 128 };
        Option<double> learningRate = new("--learning-rate") { HelpName = "R", Description = "Largest rate of the cosine schedule; at 0 only batch-norm's statistics move.", DefaultValueFactory = _ => 0.1 };
        Option<double> warmup = new("--warmup") { HelpName = "E", Description = "Epochs of linear warm-up.", DefaultValueFactory = _ => 1 };
        Option<double> decay = new("--weight-decay") { HelpName = "W", Description = "Weight decay.", DefaultValueFactory = _ => 5e-4 };
        Option<string> decayOn = new Option<string>("--decay-on") { Description = "The parameters it acts on.", DefaultValueFactory = _ => "all" }.AcceptOnlyFromAmong("all", "convolutions", "others");
        Option<double> mixup = new("--mixup") { HelpName = "A", Description = "Strength of Mixup; 0 mixes nothing.", DefaultValueFactory = _ => 0 };
        Option<double?> contrast = new("--contrast") { HelpName = "C", Description = "Multiply each training image's contrast by C^u, u uniform in [0, 1), so that activations meet larger inputs than photographs give; more than 1, at most 100. Default: none." };
        Option<double> leak = new("--leak") { HelpName = "A", Description = "Slope of the activations for negative inputs.", DefaultValueFactory = _ => 0 };
        Option<bool> dropLeak = new("--drop-leak") { Description = "Let the model stand for a plain ReLU although it is trained with a slope." };
        Option<double> noise = new("--noise") { HelpName = "C", Description = "Noise in [-C, C) on the activations' outputs, in training only.", DefaultValueFactory = _ => 0 };
        Option<string> noiseSide = new Option<string>("--noise-side") { Description = "The inputs whose outputs get it.", DefaultValueFactory = _ => "negative" }.AcceptOnlyFromAmong("negative", "positive", "both");
        Option<string> noiseUnit = new Option<string>("--noise-unit") { Description = "What C is measured in.", DefaultValueFactory = _ => "absolute" }.AcceptOnlyFromAmong("absolute", "rms");
        Option<double?> crest = new("--crest") { HelpName = "T", Description = "Penalise inputs of activations that are more than T times the RMS of their channel, in training only. Default: none." };
        Option<double> crestPenalty = new("--crest-penalty") { HelpName = "P", Description = "Penalty P sum max(|x|/RMS - T, 0)^2 an image.", DefaultValueFactory = _ => NamedRecipe.CrestWeight };
        Option<string?> activation = new("--activation") { HelpName = "SPEC", Description = "A polynomial to train with in the place of the ReLUs, by its own derivative; inputs are clamped to its range in training only." };
        Option<string> ranges = CommonOptions.Ranges("layer");
        ranges.Description += " Those that the model of --init was trained over: stored.";
        Option<double> margin = new("--margin") { HelpName = "M", Description = "Factor on the ranges layer and global, the largest inputs that the model of --init holds; below 1 training draws the inputs in.", DefaultValueFactory = _ => 1.2 };
        Option<string?> initial = new("--init") { HelpName = "MODEL", Description = "Begin from the weights of this model; its ranges are those of --ranges layer and global." };
        Option<bool> rangesOnly = new("--ranges-only") { Description = "Take only the ranges of the model of --init; weights are drawn anew." };
        Option<double> penalty = new("--penalty") { HelpName = "P", Description = "Penalty P sum max(|x|/B - T, 0)^2 an image on the inputs of polynomials.", DefaultValueFactory = _ => 0.1 };
        Option<double> penaltyFrom = new("--penalty-from") { HelpName = "T", Description = "Where it begins, in units of the range.", DefaultValueFactory = _ => 0.9 };
        Option<bool> penaltyRises = new("--penalty-rises") { Description = "Let its weight rise from 0 to P over all steps." };
        Option<bool> learnRanges = new("--learn-ranges") { Description = "Let training change the ranges it begins from; the model file holds what they have become, fixed." };
        Option<string> share = new Option<string>("--share") { Description = "How much of the polynomial: full; rising from none to all over the first half of the steps; or random for each step and activation, which leaves a network with ReLUs that stands its polynomials.", DefaultValueFactory = _ => "full" }.AcceptOnlyFromAmong("full", "rising", "random");
        Option<string?> teacher = new("--teacher") { HelpName = "MODEL", Description = "Learn from the answers of this network with ReLUs beside the labels (distillation). Default: that of --init where --tune begins with a teacher, else none." };
        Option<double> distil = new("--distil") { HelpName = "W", Description = "Weight of the teacher, the labels having 1 - W: loss (1 - W) cross-entropy + W T^2 KL(teacher / T, network / T).", DefaultValueFactory = _ => Distillation.DefaultWeight };
        Option<double> temperature = new("--temperature") { HelpName = "T", Description = "T in the loss of --distil.", DefaultValueFactory = _ => Distillation.DefaultTemperature };
        Option<double?> maxNorm = new("--max-gradient-norm") { HelpName = "N", Description = "Scale gradients of a larger norm down to it. Default: 2 with --activation or --tune, else none." };
        Option<int> validation = new("--validation") { HelpName = "N", Description = "Training images held out, the same number of each class; 0 trains on all 50,000.", DefaultValueFactory = _ => 5000 };
        Option<long> seed = new("--seed") { HelpName = "S", Description = "Seed of everything random: weights, split, order, augmentation, contrast, Mixup, noise and random shares.", DefaultValueFactory = _ => 0 };
        Option<string> output = CommonOptions.ModelOutput();
        Option<int> every = CommonOptions.AtLeast(new Option<int>("--save-every") { HelpName = "N", Description = "Steps between two writings of FILE.state; it is also written after each epoch.", DefaultValueFactory = _ => 100 }, 1);
        Option<bool> resume = new("--resume") { Description = "Continue from FILE.state, which is written as training goes on." };
        Option<string?> data = CommonOptions.Data(), json = CommonOptions.Json();
        Option<int> threads = CommonOptions.Threads();
        Option<string> convolution = CommonOptions.Convolution(Recipe.DefaultConvolution);
        var command = new Command("train", "Train a network on CIFAR-10's training images. Ctrl+C or kill loses nothing but minutes: --resume continues to the same bits.\n\nExample: pann train --epochs 40 --seed 1 --out resnet20-40-1.safetensors")
        {
            list, named, tuned, architecture, epochs, batch, learningRate, warmup, decay, decayOn, mixup, contrast, leak, dropLeak, noise, noiseSide, noiseUnit, crest, crestPenalty, activation, ranges, margin, initial, rangesOnly, penalty, penaltyFrom, penaltyRises, learnRanges, share, teacher, distil, temperature, maxNorm, validation, seed, output, every, resume, data, threads, convolution, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            bool IsGiven(Option option) => CommonOptions.IsGiven(parsed, option);
            NamedTuning? tuning = parsed.GetValue(tuned) is string way ? NamedTuning.Of(way) : null;
            if (tuning is not null && !IsGiven(initial)) throw new BadInputException($"--tune {tuning.Name}: expected --init with the model to begin from, found none");
            bool fromScratch = parsed.GetValue(rangesOnly) || tuning is { FromScratch: true };
            if (fromScratch && !IsGiven(initial)) throw new BadInputException("--ranges-only: expected --init with the model whose ranges to take, found none");
            int passes = tuning is null || IsGiven(epochs) ? parsed.GetValue(epochs) : !tuning.FromScratch ? tuning.PassesOf(0, NamedTuning.Epochs)
                : throw new BadInputException($"--tune {tuning.Name}: expected --epochs with the passes of a backbone and its tuning together, found none");
            var recipe = new Recipe
            {
                Architecture = parsed.GetValue(architecture)!,
                Epochs = passes,
                Batch = parsed.GetValue(batch),
                LearningRate = tuning is null || fromScratch || IsGiven(learningRate) ? parsed.GetValue(learningRate) : tuning.Rate,
                WarmupEpochs = parsed.GetValue(warmup),
                Validation = parsed.GetValue(validation),
                Seed = parsed.GetValue(seed),
                Convolution = CommonOptions.Convolution(parsed, convolution),
            };
            if (parsed.GetValue(named) is string name) recipe = NamedRecipe.Of(name).Apply(recipe);
            if (tuning is not null) recipe = tuning.Prepare(recipe);
            if (IsGiven(decay)) recipe = recipe with { WeightDecay = parsed.GetValue(decay) };
            if (IsGiven(decayOn)) recipe = recipe with { DecayOn = Enum.Parse<DecayScope>(parsed.GetValue(decayOn)!, ignoreCase: true) };
            if (IsGiven(mixup)) recipe = recipe with { Mixup = parsed.GetValue(mixup) };
            if (tuning is { StatisticsOnly: true } && ((Option[])[contrast, mixup, noise, crest, crestPenalty]).FirstOrDefault(IsGiven) is { } blurred) throw new BadInputException($"{blurred.Name}: expected a way that trains weights, found --tune {tuning.Name}, whose statistics are to be those of the images as they are");
            if (IsGiven(contrast)) recipe = recipe with { Contrast = parsed.GetValue(contrast) };
            if (IsGiven(leak)) recipe = recipe with { Leak = parsed.GetValue(leak) };
            if (IsGiven(dropLeak)) recipe = recipe with { DropLeak = parsed.GetValue(dropLeak) };
            if (IsGiven(noise)) recipe = recipe with { Noise = recipe.Noise with { Size = parsed.GetValue(noise) } };
            if (IsGiven(noiseSide)) recipe = recipe with { Noise = recipe.Noise with { Side = Enum.Parse<PerturbedSide>(parsed.GetValue(noiseSide)!, ignoreCase: true) } };
            if (IsGiven(noiseUnit)) recipe = recipe with { Noise = recipe.Noise with { Unit = Enum.Parse<NoiseUnit>(parsed.GetValue(noiseUnit)!, ignoreCase: true) } };
            if (recipe.Noise.Size == 0 && ((Option[])[noiseSide, noiseUnit]).FirstOrDefault(IsGiven) is { } silent) throw new BadInputException($"{silent.Name}: expected --noise, or a recipe with noise, found neither; without it this option does nothing");
            if (IsGiven(crest)) recipe = recipe with { Crest = new(recipe.Crest?.Weight ?? NamedRecipe.CrestWeight, parsed.GetValue(crest)!.Value) };
            if (IsGiven(crestPenalty)) recipe = recipe with { Crest = (recipe.Crest ?? throw new BadInputException($"{crestPenalty.Name}: expected --crest, or a recipe with a penalty on crest factors, found neither; without it this option does nothing")) with { Weight = parsed.GetValue(crestPenalty) } };
            PannModel? begin = parsed.GetValue(initial) is string from ? Trained("--init", from) : null;
            if (!fromScratch && begin?.Description.Pann is { StandsForItself: false } repaired) throw new BadInputException($"{begin!.File}: {repaired.Origin}, which training would drop; give the model as it was before that");
            if (begin is not null && begin.Description.Normalization.Name != recipe.Normalize)
                throw BadInputException.At(begin.File, "normalisation", $"{recipe.Normalize}, as training has it", begin.Description.Normalization.Name);
            if (begin is not null && !fromScratch && begin.Description.Activation.Leak != recipe.Leak && !IsGiven(leak) && !(IsGiven(named) && recipe.Leak > 0) && !IsGiven(activation) && tuning?.Activation is null)
                throw new BadInputException(FormattableString.Invariant($"--leak: expected the slope to train {begin.File} with, which was trained with {begin.Description.Activation.Leak}, found none"));
            if (begin is not null && !fromScratch) recipe = recipe with { InitialWeights = ModelFile.WeightHash(begin.Backbone) };
            NamedTuning polynomial = (tuning ?? new("", "", null)) with { FromScratch = fromScratch };
            if (IsGiven(activation)) polynomial = polynomial with { Activation = parsed.GetValue(activation) };
            if (tuning is null || IsGiven(ranges)) polynomial = polynomial with { Ranges = parsed.GetValue(ranges)! };
            if (tuning is null || IsGiven(share)) polynomial = polynomial with { Share = Enum.Parse<PolynomialShare>(parsed.GetValue(share)!, ignoreCase: true) };
            if (tuning is null || IsGiven(margin)) polynomial = polynomial with { Margin = parsed.GetValue(margin) };
            if (tuning is null || IsGiven(penalty)) polynomial = polynomial with { Penalty = parsed.GetValue(penalty) };
            if (tuning is null || IsGiven(penaltyFrom)) polynomial = polynomial with { PenaltyFrom = parsed.GetValue(penaltyFrom) };
            if (tuning is null || IsGiven(penaltyRises)) polynomial = polynomial with { PenaltyRises = parsed.GetValue(penaltyRises) };
            if (tuning is null || IsGiven(learnRanges)) polynomial = polynomial with { LearnRanges = parsed.GetValue(learnRanges) };
            if (!fromScratch && polynomial.Activation is null && begin?.Description.Pann is { StandsForItself: true } own)
                throw new BadInputException($"{begin.File}: {own.Origin}: with ReLUs its weights make no network; give --activation, or the model as it was before that");
            if (polynomial.Activation is null && ((Option[])[ranges, margin, penalty, penaltyFrom, penaltyRises, learnRanges, share]).FirstOrDefault(IsGiven) is { } idle)
                throw new BadInputException($"{idle.Name}: expected --activation, or a way with a polynomial after --tune, found neither; without one this option does nothing");
            if (IsGiven(margin) && !ActivationRanges.NeedsCalibration(polynomial.Ranges)) throw new BadInputException($"--margin: expected ranges layer or global, which it is a factor on; found {polynomial.Ranges}, which are taken as they are");
            recipe = recipe with { MaxGradientNorm = parsed.GetValue(maxNorm) ?? (tuning is null && polynomial.Activation is null ? double.PositiveInfinity : NamedTuning.MaxGradientNorm) };
            if (fromScratch && (polynomial.Activation is null || !(polynomial.Ranges == PannModel.StoredRanges || ActivationRanges.NeedsCalibration(polynomial.Ranges))))
                throw new BadInputException($"--ranges-only: expected --activation and --ranges layer, global or stored, which the model of --init holds; found {polynomial.Activation ?? "no activation"} over ranges '{polynomial.Ranges}'");
            recipe = InTheLoop(recipe, polynomial, begin);
            string? source = parsed.GetValue(teacher) ?? (tuning is { Distilled: true, After: null } ? parsed.GetValue(initial) : null);
            if (source is null && tuning is { Distilled: true }) throw new BadInputException($"--tune {tuning.Name}: expected --teacher with the backbone that the way before it began from, found none");
            if (source is null && ((Option[])[distil, temperature]).FirstOrDefault(IsGiven) is { } lonely) throw new BadInputException($"{lonely.Name}: expected --teacher, found none; without it this option does nothing");
            PannModel? teaching = null;
            if (source is not null) (recipe, teaching) = WithTeacher(recipe, source, parsed.GetValue(distil), parsed.GetValue(temperature));
            string file = parsed.GetValue(output)!, state = file + ".state";
            CommonOptions.CheckWritable(parsed, file, state, parsed.GetValue(json));
            DataFolder folder = DataCommand.Find(parsed.GetValue(data));
            Cifar10 training = Cifar10.ReadTrain(folder.Location);
            using var workspace = new Workspace(parsed.GetValue(threads));
            IReadOnlyDictionary<string, string> heldOut = TrainingRun.HeldOut(recipe, training);
            string[] learnt = recipe.Validation == 0 ? [] : [.. new[] { fromScratch ? null : begin, teaching }.OfType<PannModel>().Where(origin => heldOut.Any(note => origin.Description.Notes.GetValueOrDefault(note.Key) != note.Value)).Select(origin => origin.File).Distinct()];
            foreach (string origin in learnt)
                Console.Error.WriteLine($"note: {origin} may have learnt from the {recipe.Validation} images held out, because it does not say that it held out the same (as many, the same seed and data): their accuracy is then no judge; --validation 0 holds out none");
            using IDisposable held = TrainingRun.Hold(file);
            TrainRecord? record = TrainingRun.Run(recipe, training, workspace, file, parsed.GetValue(resume), parsed.GetValue(every), Command(recipe, parsed.GetValue(initial), polynomial, begin?.Description.Activation.Leak ?? 0, source), initial: fromScratch ? null : begin?.Backbone, teacher: teaching?.Backbone, cancellation, knowsHeldOut: learnt.Length > 0);
            if (record is null)
            {
                Console.Error.WriteLine($"stopped; continue with the same command and --resume ({state})");
                return 1;
            }
            CommonOptions.WriteJson(parsed.GetValue(json), record);
            return 0;
        }, cancellation));
        return command;
    }

    /// <summary>The command that trains by a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="initial">The model that training begins from; null for none.</param>
    /// <param name="tuning">Where the polynomial's ranges come from.</param>
    /// <param name="initialLeak">The slope that the initial model was trained with: another one has to be said.</param>
    /// <param name="teacher">The model that is learnt from; null for none.</param>
    public static string Command(Recipe recipe, string? initial = null, NamedTuning? tuning = null, double initialLeak = 0, string? teacher = null) => FormattableString.Invariant(
        $"pann train --arch {recipe.Architecture} --epochs {recipe.Epochs} --batch {recipe.Batch} --learning-rate {recipe.LearningRate} --warmup {recipe.WarmupEpochs} --weight-decay {recipe.WeightDecay}{Remedies(recipe, initialLeak)}{Loop(recipe, initial, tuning)}{Teacher(recipe, teacher)} --validation {recipe.Validation} --seed {recipe.Seed} --convolution {CommonOptions.Name(recipe.Convolution)} --out model.safetensors");

    /// <summary>A model to begin from, or to learn from.</summary>
    /// <exception cref="BadInputException">It is no model file.</exception>
    private static PannModel Trained(string option, string file)
        => Path.GetExtension(file) == ".safetensors" ? PannModel.Load(file) : throw new BadInputException($"{option}: expected a model written by pann train (.safetensors), found {file}");

    /// <summary>A recipe with a teacher, and the teacher.</summary>
    /// <exception cref="BadInputException">It has other activations than ReLUs, or weights refitted to polynomials, or another normalisation.</exception>
    public static (Recipe Recipe, PannModel Teacher) WithTeacher(Recipe recipe, string file, double weight = Distillation.DefaultWeight, double temperature = Distillation.DefaultTemperature)
    {
        PannModel model = Trained("--teacher", file);
        if (model.Description.Pann is { } pann) throw BadInputException.At(file, "teacher", "a network with ReLUs", $"one that {pann.Origin}");
        if (model.Description.Activation.Leak != 0) throw BadInputException.At(file, "teacher", "a network with ReLUs", $"one with {model.Description.Activation}");
        if (model.Description.Normalization.Name != recipe.Normalize) throw BadInputException.At(file, "teacher", $"normalisation {recipe.Normalize}, as training has it", model.Description.Normalization.Name);
        return (recipe with { Distillation = new(ModelFile.WeightHash(model.Backbone), weight, temperature) }, model);
    }

    /// <summary>A recipe with the polynomial of a tuning, if it has one.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="tuning">Polynomial, ranges, penalty.</param>
    /// <param name="begin">The model that training begins from, and whose ranges are taken; null for none.</param>
    /// <exception cref="BadInputException">A polynomial that a model file cannot hold, or ranges that nobody knows.</exception>
    public static Recipe InTheLoop(Recipe recipe, NamedTuning tuning, PannModel? begin)
    {
        if (tuning.Activation is not string activation) return recipe;
        var spec = ActivationSpec.Parse(activation);
        if (!StoredPann.CanHold(spec)) throw new BadInputException($"--activation: expected a polynomial that is generated from its text alone, because the model file holds only that; found {spec}");
        if (begin is null && ActivationRanges.NeedsCalibration(tuning.Ranges))
            throw new BadInputException($"--ranges {tuning.Ranges}: expected global:B or file:PATH, or --init with a model that holds ranges, found neither");
        if (tuning.Ranges == PannModel.StoredRanges && begin?.Description.Pann is null)
            throw new BadInputException($"--ranges stored: expected --init with a model that holds ranges of its own{(tuning.After is null ? "" : $", such as {tuning.After} leaves")}; found {begin?.File ?? "no --init"}");
        if (begin is not null && begin.Backbone.Name != recipe.Architecture) throw new BadInputException($"--init: expected a model of {recipe.Architecture}, found one of {begin.Backbone.Name}");
        string[] paths = [.. new ResNet(ResNet.ParseDepth(recipe.Architecture)).Activations.Select(place => place.Path)];
        ActivationRanges used = begin is null ? ActivationRanges.Parse(tuning.Ranges, paths, null, tuning.Margin, NamedTuning.LeastMargin) : begin.Ranges(spec, tuning.Ranges, tuning.Margin, leastMargin: NamedTuning.LeastMargin);
        return recipe with { Polynomial = new(spec.ToString(), used.ByPath, tuning.Penalty, tuning.PenaltyFrom, tuning.Share, tuning.PenaltyRises, tuning.LearnRanges) };
    }

    /// <summary>The options of training with a polynomial.</summary>
    private static string Loop(Recipe recipe, string? initial, NamedTuning? tuning)
    {
        string text = initial is null ? "" : $" --init {CommonOptions.Quoted(Path.GetFileName(initial))}{(tuning is { FromScratch: true } ? " --ranges-only" : "")}";
        if (recipe.Polynomial is { } loop) text += FormattableString.Invariant($" --activation {loop.Activation} --ranges {CommonOptions.Quoted(tuning!.Ranges)}{(ActivationRanges.NeedsCalibration(tuning.Ranges) ? FormattableString.Invariant($" --margin {tuning.Margin}") : "")} --penalty {loop.Penalty} --penalty-from {loop.PenaltyFrom}{(loop.PenaltyRises ? " --penalty-rises" : "")}{(loop.LearnRanges ? " --learn-ranges" : "")}{(loop.Share == PolynomialShare.Full ? "" : $" --share {CommonOptions.Name(loop.Share)}")}");
        if (double.IsFinite(recipe.MaxGradientNorm) || recipe.Polynomial is not null) text += FormattableString.Invariant($" --max-gradient-norm {recipe.MaxGradientNorm}");
        return text;
    }

    /// <summary>The options of learning from a teacher.</summary>
    private static string Teacher(Recipe recipe, string? teacher)
        => recipe.Distillation is { } distillation ? FormattableString.Invariant($" --teacher {CommonOptions.Quoted(Path.GetFileName(teacher)!)} --distil {distillation.Weight} --temperature {distillation.Temperature}") : "";

    /// <summary>The options of what a recipe does beyond the baseline.</summary>
    private static string Remedies(Recipe recipe, double initialLeak)
    {
        string text = recipe.DecayOn == DecayScope.All ? "" : $" --decay-on {CommonOptions.Name(recipe.DecayOn)}";
        if (recipe.Mixup > 0) text += FormattableString.Invariant($" --mixup {recipe.Mixup}");
        if (recipe.Contrast is double contrast) text += FormattableString.Invariant($" --contrast {contrast}");
        if (recipe.Leak > 0 || initialLeak > 0) text += FormattableString.Invariant($" --leak {recipe.Leak}{(recipe.DropLeak ? " --drop-leak" : "")}");
        if (recipe.Noise.Size > 0) text += FormattableString.Invariant($" --noise {recipe.Noise.Size} --noise-side {CommonOptions.Name(recipe.Noise.Side)} --noise-unit {CommonOptions.Name(recipe.Noise.Unit)}");
        if (recipe.Crest is { } crest) text += FormattableString.Invariant($" --crest {crest.From} --crest-penalty {crest.Weight}");
        return text;
    }

    /// <summary>Needs no other option, as --help does not.</summary>
    private sealed class ListRecipes : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            Terminal.Write(new ReportTable("Recipes: what differs from the baseline, and why it is there", ["recipe", "purpose"], [.. NamedRecipe.All.Select(r => (string[])[r.Name, r.Purpose])]));
            Terminal.Write(new ReportTable(FormattableString.Invariant($"Ways to go on from a model (--tune NAME --init MODEL): {NamedTuning.Epochs} epochs, largest rate {NamedTuning.LearningRate}, gradient norm {NamedTuning.MaxGradientNorm}; a last stage {NamedTuning.LastEpochs} epochs, rate {NamedTuning.LastLearningRate}; batch-norm one pass at rate 0; from scratch the backbone's epochs more, and its rate; distilled with the backbone as a teacher, weight {Distillation.DefaultWeight}, temperature {Distillation.DefaultTemperature}"), ["tuning", "after", "purpose"], [.. NamedTuning.All.Select(t => (string[])[t.Name, t.After ?? "-", t.Purpose])]));
            return 0;
        }
    }
}

/// <summary>One epoch in the JSON of <c>pann train</c>; the rate is null for epochs of an earlier, interrupted run.</summary>
internal sealed record TrainedEpoch(int Epoch, double TrainLoss, double TrainAccuracy, double? ValidationAccuracy, double? ImagesPerSecond);

/// <summary>What <c>pann train --json</c> writes.</summary>
internal sealed record TrainRecord(IReadOnlyList<TrainedEpoch> Epochs, double? ValidationAccuracy);

using System.CommandLine;
using PannCore.Approximation;
using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Reports;

namespace PannCore.Cli;

/// <summary>The verb <c>pann cost</c>: what one image costs on encrypted data, operation by operation.</summary>
internal static class CostCommand
{
    public static Command Create()
    {
        Argument<string?> file = new("MODEL") { HelpName = "MODEL", Description = "The same as --model.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> model = CommonOptions.Model(), json = CommonOptions.Json();
        Option<string?> architecture = new("--arch") { HelpName = "NAME", Description = "Instead of a model file: resnet20, resnet32, resnet44, resnet56 or resnet110. A price does not depend on weights." };
        Option<string> activation = CommonOptions.Activation("composite:alpha=9");
        Option<int?> levels = CommonOptions.AtLeast(new Option<int?>("--levels") { HelpName = "L", Description = "Also place bootstraps, a fresh or refreshed ciphertext having L levels." }, 1);
        var command = new Command("cost", "What one image costs on encrypted data: depth, levels, multiplications, bootstraps, rounds, operation by operation.\n\nExample: pann cost --activation composite:alpha=9 --levels 16")
        {
            file, model, architecture, activation, levels, json,
        };
        command.Validators.Add(result =>
        {
            if (new[] { result.GetValue(file), result.GetValue(model) }.OfType<string>().Count() + (result.GetValue(architecture) is null ? 0 : 1) > 1)
                result.AddError("cost: expected one of MODEL, --model and --arch");
        });
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string? path = parsed.GetValue(file) ?? parsed.GetValue(model);
            CommonOptions.CheckWritable(parsed, parsed.GetValue(json));
            if (path is not null && Path.GetExtension(path) != ".safetensors")
                throw new BadInputException($"{path}: expected a model written by pann train (.safetensors); a price does not depend on weights, so give a checkpoint's --arch alone");
            LoadedModel? loaded = parsed.GetValue(architecture) is null ? LoadedModel.Open(path, null, null) : null;
            ActivationSpec spec = loaded?.Asked(parsed, activation) ?? ActivationSpec.Parse(parsed.GetValue(activation)!);
            string name = loaded is null ? parsed.GetValue(architecture)! : Path.GetFileName(loaded.File);
            ResNet backbone = loaded?.Backbone ?? new ResNet(ResNet.ParseDepth(name));
            ReluPolynomial? polynomial = spec.IsPolynomial ? spec.Build(cancellation) : null;

            // No price depends on a range: it is folded into the weights.
            ResNet pann = polynomial is null ? backbone : backbone.With(_ => new ActivationFunction.Polynomial(polynomial, 1));
            using var workspace = new Workspace(1);
            NetworkCost cost = NetworkCost.Of(pann, Cifar10.OneImage, workspace, parsed.GetValue(levels)), folded = NetworkCost.Of(pann, Cifar10.OneImage, workspace, parsed.GetValue(levels), foldLeadingCoefficient: true);
            foreach (string line in CostReport.Summary($"{name}, {spec}", cost, folded)) Console.WriteLine(line);
            Terminal.Write(CostReport.Operations(cost, folded));
            CommonOptions.WriteJson(parsed.GetValue(json), new CostRecord(name, spec.ToString(), Cifar10.OneImage.ToArray(), cost, folded));
            return 0;
        }, cancellation));
        return command;
    }
}

/// <summary>What <c>pann cost --json</c> writes: the price of one image of this shape, and with the leading coefficients folded.</summary>
internal sealed record CostRecord(string Model, string Activation, IReadOnlyList<int> Input, NetworkCost Cost, NetworkCost Folded);

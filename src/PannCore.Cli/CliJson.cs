using System.Text.Json.Serialization;
using PannCore.Diagnostics;

namespace PannCore.Cli;

/// <summary>Source-generated JSON of what the verbs write: camelCase, non-finite numbers as "NaN", "Infinity", "-Infinity".</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(EvalRecord))]
[JsonSerializable(typeof(PerturbRecord))]
[JsonSerializable(typeof(TrainRecord))]
[JsonSerializable(typeof(RepairFile))]
[JsonSerializable(typeof(RefitFile))]
[JsonSerializable(typeof(EqualiseFile))]
[JsonSerializable(typeof(BenchRecord))]
[JsonSerializable(typeof(ApproxRecord))]
[JsonSerializable(typeof(FunctionRecord))]
[JsonSerializable(typeof(FrontierRecord))]
[JsonSerializable(typeof(CostRecord))]
[JsonSerializable(typeof(SweepFile))]
[JsonSerializable(typeof(ResultFile<PrecisionRow>), TypeInfoPropertyName = "PrecisionRows")]
[JsonSerializable(typeof(ResultFile<LoopRow>), TypeInfoPropertyName = "LoopRows")]
[JsonSerializable(typeof(ResultFile<DecayRow>), TypeInfoPropertyName = "DecayRows")]
[JsonSerializable(typeof(ResultFile<NetworkRow>), TypeInfoPropertyName = "NetworkRows")]
[JsonSerializable(typeof(ResultFile<PerturbationRow>), TypeInfoPropertyName = "PerturbationRows")]
[JsonSerializable(typeof(AdviceFile))]
[JsonSerializable(typeof(RecordComparison))]
internal sealed partial class CliJson : JsonSerializerContext;

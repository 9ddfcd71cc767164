namespace PannCore.Approximation;

/// <summary>What one homomorphic evaluation of an <see cref="EvaluationPlan"/> costs, counted by running the plan, never by formula.</summary>
/// <remarks>
/// <para>The model (CKKS, one ciphertext in, one out; every value carries the levels and the depth it has consumed, the input none):</para>
/// <list type="bullet">
/// <item>ciphertext times ciphertext: one non-scalar multiplication; level and depth are one more than the larger of the operands' (relinearised and rescaled at once);</item>
/// <item>ciphertext times a real constant: one scalar multiplication and one level (its rescale), no depth;</item>
/// <item>sum or difference of ciphertexts, or of a ciphertext and a constant: one addition; level and depth are the larger ones. Doubling is an addition, hence free of levels.</item>
/// </list>
/// <para>
/// Additive constants and constants that can be multiplied in advance are folded: 1/b of a stage into the output constants of the one before, (1 - leak)/2 into those of
/// the last. Always, also in costs without a folded leading coefficient, the weights before the activation take 1/B and those after it B, so that its input is t in [-1, 1]. Sharing one rescale among the terms of a sum would change no figure here.
/// </para>
/// </remarks>
/// <param name="Depth">Non-scalar depth: the largest number of ciphertext products on a path from input to output.</param>
/// <param name="Levels">CKKS levels from input to output: every rescale on the longest path, those of constants included.</param>
/// <param name="NonScalarMultiplications">Ciphertext products, squares included.</param>
/// <param name="ScalarMultiplications">Products with real constants.</param>
/// <param name="Additions">Additions, subtractions and doublings.</param>
/// <param name="LeadingCoefficientFolded">
/// Whether the figures suppose <see cref="EvaluationPlan.InputFactor"/> and <see cref="EvaluationPlan.OutputFactor"/> folded into the weights before and after the activation.
/// </param>
public sealed record Cost(
    int Depth,
    int Levels,
    int NonScalarMultiplications,
    int ScalarMultiplications,
    int Additions,
    bool LeadingCoefficientFolded);

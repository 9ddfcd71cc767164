namespace PannCore.Approximation;

/// <summary>One instruction of an <see cref="EvaluationPlan"/>. Value 0 is the plan's input, value i + 1 the result of instruction i.</summary>
/// <param name="Operation">What is done.</param>
/// <param name="X">The value that is the first operand.</param>
/// <param name="Y">The value that is the second one; -1 where the operation takes a constant.</param>
/// <param name="Constant">c; 0 where the operation takes none.</param>
public readonly record struct PlanStep(PlanOperation Operation, int X, int Y, double Constant);

/// <summary>What a <see cref="PlanStep"/> does with its operands x and y and its constant c.</summary>
public enum PlanOperation
{
    /// <summary>x + y.</summary>
    Add,

    /// <summary>x - y.</summary>
    Subtract,

    /// <summary>x + c.</summary>
    AddConstant,

    /// <summary>c x.</summary>
    MultiplyConstant,

    /// <summary>x y.</summary>
    Multiply,
}

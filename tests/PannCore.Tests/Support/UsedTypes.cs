using System.Reflection;
using System.Reflection.Emit;

namespace PannCore.Tests.Support;

/// <summary>The types that a compiled type uses: in its declaration, fields, signatures, locals and in the code of its methods. Constants are not among them: the compiler leaves only their values.</summary>
internal static class UsedTypes
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    public static IEnumerable<Type> Of(Type type)
    {
        Type?[] declared = [type.BaseType, .. type.GetInterfaces(), .. Constraints(type.GetGenericArguments()), .. type.GetFields(All).Select(field => field.FieldType)];
        return declared.Concat(type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All)).SelectMany(Of)).SelectMany(Parts).Distinct();
    }

    private static IEnumerable<Type?> Of(MethodBase method)
    {
        Type[] generic = method.IsGenericMethod ? method.GetGenericArguments() : [];
        IEnumerable<Type?> signature = [(method as MethodInfo)?.ReturnType, .. method.GetParameters().Select(parameter => parameter.ParameterType), .. Constraints(generic)];
        if (method.GetMethodBody() is not { } body) return signature;
        IEnumerable<MemberInfo?> members = Tokens(body.GetILAsByteArray()!).Select(token => method.Module.ResolveMember(token, method.DeclaringType!.GetGenericArguments(), generic));
        return [
            .. signature, .. body.LocalVariables.Select(local => local.LocalType),
            .. body.ExceptionHandlingClauses.Where(clause => clause.Flags == ExceptionHandlingClauseOptions.Clause).Select(clause => clause.CatchType),
            .. members.SelectMany(Types)];
    }

    private static IEnumerable<Type?> Types(MemberInfo? member) => member switch
    {
        Type type => [type],
        FieldInfo field => [field.DeclaringType, field.FieldType],
        MethodInfo method => [method.DeclaringType, method.ReturnType, .. method.GetGenericArguments()],
        _ => [member?.DeclaringType],
    };

    /// <summary>The members named in code: each instruction is a code of one byte or two and what it works on, whose length its kind says.</summary>
    private static IEnumerable<int> Tokens(byte[] code)
    {
        for (int at = 0; at < code.Length;)
        {
            OpCode instruction = Codes[code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at]];
            at += instruction.Size;
            if (instruction.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok) yield return BitConverter.ToInt32(code, at);
            at += instruction.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type> Constraints(Type[] generic) => generic.Where(argument => argument.IsGenericParameter).SelectMany(argument => argument.GetGenericParameterConstraints());

    /// <summary>Of <c>Dictionary&lt;A, B[]&gt;</c> the dictionary, A and B.</summary>
    private static IEnumerable<Type> Parts(Type? type)
        => type is null ? [] : type.HasElementType ? Parts(type.GetElementType()) : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type) : [type];
}

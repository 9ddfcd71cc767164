using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PannCore;

/// <summary>How the project's JSON is read and written: by reflection, because generated serializers were more code to compile than the project itself; also where a host does not allow it by default.</summary>
internal static class JsonByReflection
{
    /// <summary>These options, ready for use and closed to changes.</summary>
    public static JsonSerializerOptions Fixed(this JsonSerializerOptions options, Action<JsonTypeInfo>? change = null)
    {
        var types = new DefaultJsonTypeInfoResolver();
        if (change is not null) types.Modifiers.Add(change);
        options.TypeInfoResolver = types;
        options.MakeReadOnly();
        return options;
    }
}

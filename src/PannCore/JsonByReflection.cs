using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PannCore;

/// <summary>How the project's JSON is read and written: by reflection, because generated serializers were more code to compile than half of the project, wherever a host allows it by default or not.</summary>
internal static class JsonByReflection
{
    /// <summary>These options, ready for use and closed to changes.</summary>
    public static JsonSerializerOptions Fixed(this JsonSerializerOptions options)
    {
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver();
        options.MakeReadOnly();
        return options;
    }
}

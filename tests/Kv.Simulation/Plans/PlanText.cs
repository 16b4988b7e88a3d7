using System.Text.Json;
using System.Text.Json.Serialization;
using Kv.Core.Quorum;

namespace Kv.Simulation.Plans;

/// <summary>
/// A plan as text: a line with all but its events, then a line for each of those, its kind and its properties as JSON. What a seed draws changes with the drawing; a plan that is kept as text
/// stays what it was. Lines that begin with `#` are for people.
/// </summary>
public static class PlanText
{
    private static readonly JsonSerializerOptions Json = new()
    {
        IgnoreReadOnlyProperties = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(), new QuorumConverter() },
    };

    private static readonly Dictionary<string, Type> Kinds = typeof(PlannedEvent).Assembly.GetTypes()
        .Where(type => !type.IsAbstract && type.IsAssignableTo(typeof(PlannedEvent))).ToDictionary(type => type.Name, StringComparer.Ordinal);

    public static string Write(SimPlan plan) =>
        string.Concat(plan.Events.Select(planned => $"{planned.GetType().Name} {JsonSerializer.Serialize(planned, planned.GetType(), Json)}\n").Prepend($"Plan {JsonSerializer.Serialize(plan with { Events = [] }, Json)}\n"));

    /// <exception cref="FormatException">It is not what <see cref="Write"/> gives.</exception>
    public static SimPlan Read(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Select(Split).ToList();
        return lines is [("Plan", var head), .. var events]
            ? JsonSerializer.Deserialize<SimPlan>(head, Json)! with { Events = [.. events.Select(line => ReadEvent(line.Kind, line.Properties))] }
            : throw new FormatException("a plan begins with a line `Plan {…}`");
    }

    private static PlannedEvent ReadEvent(string kind, string properties) => Kinds.TryGetValue(kind, out var type)
        ? (PlannedEvent)JsonSerializer.Deserialize(properties, type, Json)!
        : throw new FormatException($"there is no event {kind}");

    private static (string Kind, string Properties) Split(string line) =>
        line.IndexOf(' ', StringComparison.Ordinal) is > 0 and var at ? (line[..at], line[at..]) : throw new FormatException($"`{line}` is no event");

    private sealed class QuorumConverter : JsonConverter<QuorumValue>
    {
        public override QuorumValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            QuorumValue.TryParse(reader.GetString(), out var value) ? value : throw new FormatException("a quorum is a number or a word");

        public override void Write(Utf8JsonWriter writer, QuorumValue value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}

using System.Text;
using System.Text.Json;
using Kv.Chaos.Checks;
using Kv.Chaos.Machines;
using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>The `kv` command, a process for each operation.</summary>
internal sealed class CommandDoor(string binary, NodePicker nodes, IndexCheck index) : IKvDoor
{
    private const int NotFound = 3;
    private const int Unavailable = 4;

    public string Name => "kv";

    public bool PutsWithContext => false;

    public bool HasTerms => false;

    public async Task<DoorRead> GetAsync(ObjectKey key, bool fromPrimaries)
    {
        var (code, output, _) = await RunAsync(["get", .. Names(key), "-o", "json"], NotFound);
        if (code == NotFound)
        {
            return new DoorRead(new HashSet<string>(), null);
        }

        using var json = JsonDocument.Parse(output);
        var values = json.RootElement.GetProperty("siblings").EnumerateArray()
            .Where(sibling => !sibling.GetProperty("deleted").GetBoolean())
            .Select(sibling => sibling.GetProperty("value").GetString()!);
        return new DoorRead(values.ToHashSet(StringComparer.Ordinal), json.RootElement.GetProperty("context").GetString());
    }

    /// <summary>
    /// Never with a context: the command tries such a put at another node even where the first may have done it, and then it is there twice, each a write of its own.
    /// That is allowed, but what came late cannot be told from what came back. It gives no index entries.
    /// </summary>
    public async Task<string> PutAsync(ObjectKey key, DoorPut put)
    {
        index.WritesWithoutEntry(put.Value);
        return $"{Name} at {(await RunAsync(["put", .. Names(key), put.Value])).Node}";
    }

    public Task DeleteAsync(ObjectKey key, string? context) => RunAsync(["delete", .. Names(key), .. context is null ? Array.Empty<string>() : ["--context", context]], NotFound);

    private static string[] Names(ObjectKey key) => [key.BucketType, Encoding.UTF8.GetString(key.Bucket.Span), Encoding.UTF8.GetString(key.Key.Span)];

    private async Task<(int Code, string Output, string Node)> RunAsync(IReadOnlyList<string> arguments, int alsoGood = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var node = nodes.Next();
        try
        {
            var (code, output, error) = await Tool.TryAsync(binary, [.. arguments, "--endpoint", node, "--timeout", "8s"], "", limit.Token);
            if (code == 0 || code == alsoGood)
            {
                return (code, output, node);
            }

            nodes.Avoid(node);
            var text = error.Trim().ReplaceLineEndings(" ");
            throw new DoorException($"exit code {code}{(code == Unavailable ? "" : ": " + text)}", isRetryable: code == Unavailable);
        }
        catch (OperationCanceledException failure)
        {
            throw new DoorException($"{arguments[0]} did not end", isRetryable: true, failure);
        }
    }
}

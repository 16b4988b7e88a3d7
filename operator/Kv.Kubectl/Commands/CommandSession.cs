using System.CommandLine;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Commands;

/// <summary>What the commands share: the streams, the options of every command, and the way to the cluster.</summary>
internal sealed class CommandSession(Terminal terminal, Surroundings surroundings, bool hasEndOfOptions)
{
    private readonly Dictionary<Command, string> examples = [];

    public Terminal Terminal { get; } = terminal;

    public ConnectionOptions Connection { get; } = new();

    /// <summary>Command lines for the end of the command's help, one on each line.</summary>
    public void AddExamples(Command command, string lines) => examples.Add(command, lines);

    /// <summary>Null where it has none.</summary>
    public string? ExamplesOf(Command command) => examples.GetValueOrDefault(command);

    /// <summary>Gives the command what it does. The way to the cluster is opened when it first asks, and closed after.</summary>
    public void Bind(Command command, Func<ParseResult, NodeCaller, CancellationToken, Task<ExitCode>> run) =>
        command.SetAction(async (parsed, cancel) =>
        {
            var settings = Connection.Read(parsed);
            using var caller = new NodeCaller(stop => AccessFinder.FindAsync(settings, surroundings, stop), settings.Timeout);
            return (int)await run(parsed, caller, cancel);
        });

    public bool IsJson(ParseResult parsed) => Connection.IsJson(parsed);

    public TablePrinter Tables => new(Terminal);

    public Task WriteJsonAsync(System.Text.Json.Nodes.JsonNode json, CancellationToken cancel) =>
        Terminal.Text.WriteLineAsync(JsonText.Of(json).AsMemory(), cancel);

    /// <summary>
    /// The values of an argument that takes several. One that looks like an option is a mistyped option, unless <c>--</c> went before it or
    /// it is a number.
    /// </summary>
    public string[] Values(ParseResult parsed, Argument<string[]> argument)
    {
        var values = parsed.GetValue(argument) ?? [];
        var suspect = hasEndOfOptions ? null : values.FirstOrDefault(value => value is ['-', _, ..] && !char.IsAsciiDigit(value[1]));
        return suspect is null ? values : throw CliException.Usage($"there is no option {suspect}; if it is a value, put -- before it");
    }
}

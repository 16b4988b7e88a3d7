using System.CommandLine;
using Google.Protobuf;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary>A command that changes a data type: its names and options, and the way of its operation to the node.</summary>
internal sealed class DataTypeUpdate
{
    private readonly CommandSession session;
    private readonly string form;
    private readonly ObjectArguments names;
    private readonly WriteQuorums quorums;
    private readonly Option<string?>? context;
    private readonly Option<bool>? contextFromGet;

    /// <param name="form">What follows the command: `TYPE BUCKET KEY`, and what is done.</param>
    /// <param name="canRemove">Whether it takes the context that removals go by.</param>
    public DataTypeUpdate(CommandSession session, Command command, string form, string description, bool canRemove)
    {
        this.session = session;
        this.form = form;
        names = new ObjectArguments(command, form, description);
        quorums = new WriteQuorums(command);
        if (canRemove)
        {
            context = new Option<string?>("--context") { HelpName = "CONTEXT", Description = "The context that `kv datatype get -o json` printed: what that saw is removed. [default: what a replica has]" };
            contextFromGet = new Option<bool>("--context-from-get") { Description = "Read first, and remove what is there." };
            command.Add(context);
            command.Add(contextFromGet);
        }
    }

    /// <summary>The key, and the <paramref name="least"/> to <paramref name="most"/> values after it.</summary>
    public (Key Key, string[] Values) Read(ParseResult parsed, int least, int most)
    {
        var (type, rest) = names.ReadTyped(session, parsed, 2 + least, most == int.MaxValue ? most : 2 + most, form);
        return (names.Key(parsed, type, rest[0], rest[1]), rest[2..]);
    }

    /// <summary><paramref name="isRepeatable"/>: done twice it comes to the same.</summary>
    public async Task<ExitCode> RunAsync(ParseResult parsed, NodeCaller caller, Key key, DataTypeOperation operation, bool isRepeatable, CancellationToken cancel)
    {
        var request = quorums.ReadUpdate(parsed, key);
        request.Operation = operation;
        request.Context = await ContextAsync(parsed, caller, key, cancel);
        var response = await caller.DataAsync(
            (client, options, milliseconds) =>
            {
                request.TimeoutMilliseconds = milliseconds;
                return client.UpdateDataTypeAsync(request, options);
            },
            answer => answer.Error,
            isRepeatable,
            cancel);
        await PrintAsync(session.IsJson(parsed), key, response, cancel);
        return ExitCode.Ok;
    }

    private async Task<ByteString> ContextAsync(ParseResult parsed, NodeCaller caller, Key key, CancellationToken cancel)
    {
        var text = context is null ? null : parsed.GetValue(context);
        var isFromGet = contextFromGet is not null && parsed.GetValue(contextFromGet);
        if (text is not null)
        {
            return isFromGet ? throw CliException.Usage("--context and --context-from-get exclude each other") : Contexts.Parse(text);
        }

        if (!isFromGet)
        {
            return ByteString.Empty;
        }

        var response = await caller.DataAsync(
            (client, options, milliseconds) => client.FetchDataTypeAsync(new FetchDataTypeRequest { Key = key, TimeoutMilliseconds = milliseconds }, options),
            answer => answer.Error,
            isRepeatable: true,
            cancel);
        return response.Context.IsEmpty ? throw new CliException(ExitCode.NotFound, "not found: there is nothing to remove") : response.Context;
    }

    private async Task PrintAsync(bool isJson, Key key, UpdateDataTypeResponse response, CancellationToken cancel)
    {
        if (response.Value is { } value)
        {
            await DataTypeCommand.PrintAsync(session, isJson, key, value, response.Context, cancel);
        }
        else if (isJson)
        {
            await session.WriteJsonAsync(ObjectPrinter.ToJson(key), cancel);
        }
        else if (session.Terminal.IsInteractive)
        {
            await session.Terminal.Text.WriteLineAsync("updated");
        }
    }
}

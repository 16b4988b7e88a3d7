using System.CommandLine;
using Google.Protobuf;
using Kv.Kubectl.Output;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv datatype get TYPE BUCKET KEY</c>: the value of a data type.</summary>
internal static class DataTypeCommand
{
    private const string Form = "TYPE BUCKET KEY";

    public static Command Create(CommandSession session) =>
        new("datatype", "Show data types: keys of bucket types with a `datatype`. counter, set, gset, map and hll change them.") { Get(session) };

    private static Command Get(CommandSession session)
    {
        var command = new Command("get", "Print a counter, a set, a map or what a HyperLogLog estimates. As JSON with the context that later removals go by.");
        var names = new ObjectArguments(command, Form, "The bucket type, the bucket and the key.");
        var quorums = new ReadOptions(command);
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var (type, rest) = names.ReadTyped(session, parsed, 2, 2, Form);
            var request = quorums.ReadFetch(parsed, names.Key(parsed, type, rest[0], rest[1]));
            var response = await caller.DataAsync(
                (client, options, milliseconds) =>
                {
                    request.TimeoutMilliseconds = milliseconds;
                    return client.FetchDataTypeAsync(request, options);
                },
                answer => answer.Error,
                isRepeatable: true,
                cancel);
            if (response.Value is not { } value)
            {
                throw new CliException(ExitCode.NotFound, "not found");
            }

            await PrintAsync(session, session.IsJson(parsed), request.Key, value, response.Context, cancel);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Task PrintAsync(CommandSession session, bool isJson, Key key, DataTypeValue value, ByteString context, CancellationToken cancel) =>
        isJson ? session.WriteJsonAsync(DataTypeOutput.ToJson(key, value, context), cancel) : DataTypeOutput.WriteAsync(value, session.Terminal, cancel);
}

using System.CommandLine;
using System.Text;
using Google.Protobuf;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv put [TYPE] BUCKET KEY VALUE</c>: writes a value, given or from standard input.</summary>
internal static class PutCommand
{
    private const string Form = "[TYPE] BUCKET KEY VALUE, where the VALUE - is standard input";
    private const string FormWithoutKey = "[TYPE] BUCKET VALUE, where the VALUE - is standard input";

    public static Command Create(CommandSession session)
    {
        var command = new Command("put", "Write a value. Without a context it becomes a sibling of what it did not know of, where the bucket keeps siblings.");
        var names = new ObjectArguments(command, "[TYPE] BUCKET KEY VALUE", "The object and its value; - reads the value from standard input.");
        var writes = new WriteOptions(command);
        var context = new Option<string?>("--context") { HelpName = "CONTEXT", Description = "The context that a get printed: the write replaces what that get saw." };
        var contextFromGet = new Option<bool>("--context-from-get") { Description = "Read first, and replace all that is there." };
        var generate = new Option<bool>("--generate-key") { Description = "Let the server make the key, and print it; there is no KEY then." };
        foreach (var option in new Option[] { context, contextFromGet, generate })
        {
            command.Add(option);
        }

        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var isGenerated = parsed.GetValue(generate);
            var count = isGenerated ? 2 : 3;
            var (type, rest) = names.Read(session, parsed, count, count, isGenerated ? FormWithoutKey : Form);
            var key = isGenerated
                ? new Key { BucketType = type, Bucket = names.Name(parsed, "bucket", rest[0]) }
                : names.Key(parsed, type, rest[0], rest[1]);
            var request = writes.Read(parsed, key);
            request.Context = ContextOf(parsed.GetValue(context), parsed.GetValue(contextFromGet), isGenerated);
            var isFromInput = rest[^1] == "-";
            request.Content = writes.Content(parsed, isFromInput);
            request.Content.Value = isFromInput
                ? await StandardInput.ReadAsync(session, caller, cancel)
                : ByteString.CopyFrom(rest[^1], Encoding.UTF8);
            if (parsed.GetValue(contextFromGet))
            {
                request.Context = await ReadContextAsync(caller, key, cancel);
            }

            var isJson = session.IsJson(parsed);
            request.ReturnHead = isJson && !request.ReturnBody;
            var response = await PutAsync(caller, request, cancel);
            if (isGenerated)
            {
                key.Key_ = response.GeneratedKey;
            }

            await PrintAsync(session, isJson, isGenerated, request, response, cancel);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Task<PutResponse> PutAsync(NodeCaller caller, PutRequest request, CancellationToken cancel) => caller.DataAsync(
        (client, options, milliseconds) =>
        {
            request.TimeoutMilliseconds = milliseconds;
            return client.PutAsync(request, options);
        },
        answer => answer.Error,
        // Done twice, it could be its own sibling.
        isRepeatable: false,
        cancel);

    private static ByteString ContextOf(string? text, bool isFromGet, bool isGenerated)
    {
        if (text is null)
        {
            return isFromGet && isGenerated ? throw CliException.Usage("--context-from-get reads a key, and --generate-key has none") : ByteString.Empty;
        }

        return isFromGet ? throw CliException.Usage("--context and --context-from-get exclude each other") : Contexts.Parse(text);
    }

    private static async Task<ByteString> ReadContextAsync(NodeCaller caller, Key key, CancellationToken cancel)
    {
        var response = await caller.DataAsync(
            (client, options, milliseconds) => client.GetAsync(new GetRequest { Key = key, HeadOnly = true, TimeoutMilliseconds = milliseconds }, options),
            answer => answer.Error,
            isRepeatable: true,
            cancel);
        return response.Object?.Context ?? response.TombstoneContext;
    }

    private static async Task PrintAsync(
        CommandSession session, bool isJson, bool isGenerated, PutRequest request, PutResponse response, CancellationToken cancel)
    {
        if (isJson)
        {
            var json = response.Object is { } stored && request.ReturnBody ? ObjectPrinter.ToJson(request.Key, stored) : ObjectPrinter.ToJson(request.Key);
            json["context"] = response.Object?.Context.ToBase64();
            await session.WriteJsonAsync(json, cancel);
            return;
        }

        if (isGenerated)
        {
            await session.Terminal.Text.WriteLineAsync(Escape.Line(response.GeneratedKey.ToStringUtf8()));
        }

        if (request.ReturnBody && response.Object is { } body)
        {
            await ObjectPrinter.WriteAsync(body, session.Terminal, cancel);
        }
        else if (session.Terminal.IsInteractive && !isGenerated)
        {
            await session.Terminal.Text.WriteLineAsync("stored");
        }
    }
}

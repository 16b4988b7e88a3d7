using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv bucket-type</c>: classes of buckets, created and then activated.</summary>
internal static class BucketTypeCommand
{
    private const string Examples = """
        kv bucket-type create carts '{"props":{"allow_mult":true,"n_val":3}}'
        kv bucket-type create carts --prop allow_mult=true --prop n_val=3
        kv bucket-type activate carts
        kv bucket-type status carts -o json
        """;

    public static Command Create(CommandSession session)
    {
        var command = new Command("bucket-type", "Show and change bucket types. Those that the operator runs are changed in their manifests instead.")
        {
            List(session),
            Status(session),
            Change(session, "create", "Create a bucket type; activate it when every member has it.", takesProps: true),
            Change(session, "activate", "Let clients use a bucket type; refused (exit code 4) until every member has it.", takesProps: false),
            Change(session, "update", "Change properties of an active bucket type.", takesProps: true),
        };
        session.AddExamples(command, Examples);
        return command;
    }

    private static Command List(CommandSession session)
    {
        var command = new Command("list", "List all bucket types.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var types = await caller.AdminAsync((client, options) => client.ListBucketTypesAsync(new ListBucketTypesRequest(), options), cancel);
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(new JsonObject { ["bucketTypes"] = new JsonArray([.. types.BucketTypes_.Select(BucketTypeOutput.ToJson)]) }, cancel);
            }
            else
            {
                BucketTypeOutput.PrintList(session.Tables, types.BucketTypes_);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Status(CommandSession session)
    {
        var name = Name();
        var command = new Command("status", "Show a bucket type's state and properties.") { name };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var request = new GetBucketTypeRequest { Name = NameOf(session.Values(parsed, name), takesProps: false) };
            return await PrintAsync(session, parsed, await caller.AdminAsync((client, options) => client.GetBucketTypeAsync(request, options), cancel), cancel);
        });
        return command;
    }

    private static Command Change(CommandSession session, string verb, string description, bool takesProps)
    {
        var values = takesProps
            ? new Argument<string[]>("NAME [PROPS]") { Description = "The bucket type, and its properties as a JSON object, - for standard input.", Arity = ArgumentArity.ZeroOrMore }
            : Name();
        var command = new Command(verb, description) { values };
        var props = PropsOption();
        if (takesProps)
        {
            command.Add(props);
        }

        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var given = session.Values(parsed, values);
            var name = NameOf(given, takesProps);
            var json = takesProps ? await PropsAsync(session, caller, given, parsed.GetValue(props) ?? [], cancel) : "";
            if (verb == "update" && json == "{}")
            {
                throw CliException.Usage("name the properties to change: --prop NAME=VALUE, or a JSON object");
            }

            var type = await caller.AdminAsync(
                (client, options) => verb switch
                {
                    "create" => client.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = name, PropsJson = json }, options),
                    "update" => client.UpdateBucketTypeAsync(new UpdateBucketTypeRequest { Name = name, PropsJson = json }, options),
                    _ => client.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = name }, options),
                },
                cancel);
            return await PrintAsync(session, parsed, type, cancel, done: DoneBy(verb));
        });
        return command;
    }

    private static string DoneBy(string verb) => verb switch { "create" => "created", "update" => "updated", _ => "has been activated" };

    private static Argument<string[]> Name() => new("NAME") { Description = "The bucket type.", Arity = ArgumentArity.ZeroOrMore };

    private static Option<string[]> PropsOption()
    {
        var option = new Option<string[]>("--prop") { HelpName = "NAME=VALUE", Description = "A property by Riak's name, such as n_val=3; may be given again." };
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => token.Value.IndexOf('=', StringComparison.Ordinal) <= 0))
            {
                result.AddError($"--prop must be NAME=VALUE, not `{token.Value}`");
            }
        });
        return option;
    }

    private static string NameOf(string[] values, bool takesProps) => values switch
    {
        [] or ["", ..] => throw CliException.Usage("name the bucket type"),
        [var name] => name,
        [var name, _] when takesProps => name,
        _ => throw CliException.Usage("too many names"),
    };

    /// <summary>One JSON object of what is given as JSON (bare, or under `props` as Riak's tools have it) and by <c>--prop</c>.</summary>
    private static async Task<string> PropsAsync(CommandSession session, NodeCaller caller, string[] given, string[] options, CancellationToken cancel)
    {
        var text = given.Length < 2 ? "{}" : given[1] != "-" ? given[1] : Encoding.UTF8.GetString((await StandardInput.ReadAsync(session, caller, cancel)).Span);
        var props = Parse(text) as JsonObject ?? throw CliException.Usage("the properties are not a JSON object");
        if (props is { Count: 1 } && props["props"] is JsonObject inner)
        {
            props = inner;
        }

        foreach (var option in options)
        {
            var at = option.IndexOf('=', StringComparison.Ordinal);
            props[option[..at]] = Value(option[(at + 1)..]);
        }

        return props.ToJsonString(JsonText.Compact);
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw CliException.Usage($"the properties are not JSON: {e.Message}");
        }
    }

    /// <summary>A number, true, false or any other JSON as such; else the text.</summary>
    private static JsonNode? Value(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static async Task<ExitCode> PrintAsync(CommandSession session, ParseResult parsed, BucketType type, CancellationToken cancel, string? done = null)
    {
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(BucketTypeOutput.ToJson(type), cancel);
        }
        else
        {
            if (done is not null)
            {
                session.Tables.Line($"{type.Name} {done}");
            }

            if (done is null || type.State != BucketType.Types.State.Active || type.MissingOn.Count > 0)
            {
                BucketTypeOutput.PrintState(session.Tables, type);
            }

            if (done is null)
            {
                BucketTypeOutput.PrintProps(session.Tables, type);
            }
        }

        return ExitCode.Ok;
    }
}

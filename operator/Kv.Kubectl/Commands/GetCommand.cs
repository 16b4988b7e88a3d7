using System.CommandLine;
using Kv.Kubectl.Output;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv get [TYPE] BUCKET KEY</c>: an object's value, or its siblings.</summary>
internal static class GetCommand
{
    private const string Form = "[TYPE] BUCKET KEY";

    public static Command Create(CommandSession session)
    {
        var command = new Command("get", "Print an object's value; where it has siblings, each with its tag.");
        var names = new ObjectArguments(command, Form, "The object; TYPE is `default` if not given.");
        var tag = new Option<string?>("--sibling") { HelpName = "TAG", Description = "Print only the sibling with this tag." };
        var quorums = new ReadOptions(command);
        command.Add(tag);
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var (type, rest) = names.Read(session, parsed, 2, 2, Form);
            var request = quorums.Read(parsed, names.Key(parsed, type, rest[0], rest[1]));
            var response = await caller.DataAsync(
                (client, options, milliseconds) =>
                {
                    request.TimeoutMilliseconds = milliseconds;
                    return client.GetAsync(request, options);
                },
                answer => answer.Error,
                isRepeatable: true,
                cancel);
            if (response.Object is not { } found)
            {
                var context = response.TombstoneContext.IsEmpty ? "" : $" (deleted; the context of the delete is {response.TombstoneContext.ToBase64()})";
                throw new CliException(ExitCode.NotFound, "not found" + context);
            }

            return await PrintAsync(session, parsed, request.Key, Chosen(found, parsed.GetValue(tag)), cancel);
        });
        return command;
    }

    private static Protos.Kv.V1.Object Chosen(Protos.Kv.V1.Object found, string? tag)
    {
        if (tag is null)
        {
            return found;
        }

        var sibling = found.Siblings.FirstOrDefault(one => one.Vtag == tag)
            ?? throw new CliException(ExitCode.NotFound, $"there is no sibling {tag}; there is {string.Join(", ", found.Siblings.Select(one => one.Vtag))}");
        return new Protos.Kv.V1.Object { Context = found.Context, Siblings = { sibling } };
    }

    private static async Task<ExitCode> PrintAsync(CommandSession session, ParseResult parsed, Key key, Protos.Kv.V1.Object found, CancellationToken cancel)
    {
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(ObjectPrinter.ToJson(key, found), cancel);
        }
        else if (await ObjectPrinter.WriteAsync(found, session.Terminal, cancel) is > 1 and var count)
        {
            await session.Terminal.Error.WriteLineAsync(
                $"kv: {count} siblings. --sibling TAG prints one; `kv put --context-from-get …` replaces them all with one value");
        }

        return ExitCode.Ok;
    }
}

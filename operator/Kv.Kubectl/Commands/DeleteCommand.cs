using System.CommandLine;
using Kv.Kubectl.Output;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv delete [TYPE] BUCKET KEY</c>.</summary>
internal static class DeleteCommand
{
    private const string Form = "[TYPE] BUCKET KEY";

    public static Command Create(CommandSession session)
    {
        var command = new Command("delete", "Delete an object: all that is there, or with --context what that get saw.");
        var names = new ObjectArguments(command, Form, "The object; TYPE is `default` if not given.");
        var context = new Option<string?>("--context") { HelpName = "CONTEXT", Description = "The context that a get printed; what came after it stays." };
        command.Add(context);
        var fill = Quorums(command);
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var (type, rest) = names.Read(session, parsed, 2, 2, Form);
            var request = new DeleteRequest { Key = names.Key(parsed, type, rest[0], rest[1]) };
            fill(parsed, request);
            if (parsed.GetValue(context) is { } text)
            {
                request.Context = Contexts.Parse(text);
            }

            var response = await caller.DataAsync(
                (client, options, milliseconds) =>
                {
                    request.TimeoutMilliseconds = milliseconds;
                    return client.DeleteAsync(request, options);
                },
                answer => answer.Error,
                // With a context it can remove only what that context covers, however often it is done; without, what another wrote meanwhile.
                isRepeatable: request.HasContext,
                cancel);
            if (response.NotFound)
            {
                throw new CliException(ExitCode.NotFound, "not found: there was nothing to delete");
            }

            if (session.IsJson(parsed))
            {
                var json = ObjectPrinter.ToJson(request.Key);
                json["deleted"] = true;
                await session.WriteJsonAsync(json, cancel);
            }
            else if (session.Terminal.IsInteractive)
            {
                await session.Terminal.Text.WriteLineAsync("deleted");
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static Action<ParseResult, DeleteRequest> Quorums(Command command)
    {
        var rw = QuorumOption.Create("--rw", "Replicas that must answer and take it.");
        var r = QuorumOption.Create("--r", "Replicas that must answer the read before.");
        var pr = QuorumOption.Create("--pr", "Primaries that must answer the read before.");
        var w = QuorumOption.Create("--w", "Replicas that must have taken it.");
        var dw = QuorumOption.Create("--dw", "Replicas that must have it on disk.");
        var pw = QuorumOption.Create("--pw", "Primaries that must have taken it.");
        var nodeConfirms = QuorumOption.Create("--node-confirms", "Distinct nodes that must have taken it.");
        var sloppy = QuorumOption.Switch("--sloppy-quorum", "Stand-ins of dead nodes count.");
        var nVal = QuorumOption.NVal();
        foreach (var option in new Option[] { rw, r, pr, w, dw, pw, nodeConfirms, sloppy, nVal })
        {
            command.Add(option);
        }

        return (parsed, request) =>
        {
            (request.Rw, request.R, request.Pr) = (parsed.GetValue(rw), parsed.GetValue(r), parsed.GetValue(pr));
            (request.W, request.Dw, request.Pw, request.NodeConfirms) = (parsed.GetValue(w), parsed.GetValue(dw), parsed.GetValue(pw), parsed.GetValue(nodeConfirms));
            if (QuorumOption.Read(parsed, sloppy) is { } isSloppy)
            {
                request.SloppyQuorum = isSloppy;
            }

            if (parsed.GetValue(nVal) is { } number)
            {
                request.NVal = number;
            }
        };
    }
}

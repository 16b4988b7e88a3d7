using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Kv.Kubectl.Commands;
using Kv.Kubectl.Output;

namespace Kv.Kubectl;

/// <summary>The whole of <c>kv</c>: from arguments to an exit code. The one place where errors become text.</summary>
internal sealed class CommandLine(Terminal terminal, Surroundings surroundings)
{
    private const string About = """
        Reads and writes data of a Kv cluster, and shows and changes its members, ring, bucket types and security.

        Which cluster: --endpoint; else the local run whose .kv/endpoints is in this directory or one above it; else the current
        kubeconfig's namespace, through the API server. As `kubectl kv`, or with --cluster, --namespace, --kubeconfig or --kube-context,
        always the latter.

        Exit codes: 0 done; 1 failed; 2 the command line is wrong; 3 not found; 4 unavailable, timed out or to be tried again.
        """;

    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        var session = new CommandSession(terminal, surroundings, hasEndOfOptions: arguments.Contains("--"));
        var parsed = Root(session).Parse(arguments, new ParserConfiguration
        {
            // A value may begin with @ or look like several short options in one.
            ResponseFileTokenReplacer = null,
            EnablePosixBundling = false,
        });
        if (parsed.Action is ParseErrorAction || (parsed.Errors.Count > 0 && parsed.Action is not HelpAction))
        {
            foreach (var problem in parsed.Errors.Select(error => error.Message).Distinct())
            {
                await terminal.Error.WriteLineAsync($"kv: {problem}");
            }

            await terminal.Error.WriteLineAsync($"`{PathOf(parsed)} --help` shows what it takes");
            await terminal.FlushAsync();
            return (int)ExitCode.Usage;
        }

        var settings = new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = terminal.Text, Error = terminal.Error, ProcessTerminationTimeout = null };
        var code = await GuardAsync(() => parsed.InvokeAsync(settings, cancel), PathOf(parsed), cancel);
        if (parsed.Action is HelpAction && session.ExamplesOf(parsed.CommandResult.Command) is { } examples)
        {
            await terminal.Text.WriteLineAsync($"Examples:\n  {examples.ReplaceLineEndings("\n  ")}\n");
            await terminal.FlushAsync();
        }

        return (int)code;
    }

    private static RootCommand Root(CommandSession session)
    {
        var root = new RootCommand(About)
        {
            PutCommand.Create(session),
            GetCommand.Create(session),
            DeleteCommand.Create(session),
            ListCommand.Create(session),
            ImportCommand.Create(session),
            StatusCommand.Create(session),
            RingCommand.Create(session),
            PlanCommand.Create(session),
            ClusterCommand.Create(session),
            TransfersCommand.Create(session),
            AaeCommand.Create(session),
            BucketTypeCommand.Create(session),
            DataTypeCommand.Create(session),
            CounterCommand.Create(session),
            MapCommand.Create(session),
            SecurityCommand.Create(session),
            AdminCommand.Create(session),
        };
        foreach (var command in SetCommand.CreateAll(session))
        {
            root.Add(command);
        }

        session.Connection.AddTo(root);
        return root;
    }

    /// <summary>Runs it; whatever is thrown becomes a line on standard error and an exit code.</summary>
    private async Task<ExitCode> GuardAsync(Func<Task<int>> run, string path, CancellationToken cancel)
    {
        ExitCode code;
        try
        {
            code = (ExitCode)await run();
        }
        catch (CliException e)
        {
            await terminal.Error.WriteLineAsync($"kv: {Escape.Line(e.Message)}");
            if (e.Code == ExitCode.Usage)
            {
                await terminal.Error.WriteLineAsync($"`{path} --help` shows what it takes");
            }

            code = e.Code;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync("kv: interrupted");
            code = ExitCode.Failed;
        }
        catch (IOException e)
        {
            // The reader of our output is gone (`kv list … | head`), or a file cannot be read.
            await terminal.Error.WriteLineAsync($"kv: {Escape.Line(e.Message)}");
            return ExitCode.Failed;
        }

        await terminal.FlushAsync();
        return code;
    }

    private static string PathOf(ParseResult parsed)
    {
        var names = new List<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = parsed.CommandResult; at is System.CommandLine.Parsing.CommandResult command; at = command.Parent)
        {
            names.Insert(0, command.Command is RootCommand ? "kv" : command.Command.Name);
        }

        return string.Join(' ', names);
    }
}

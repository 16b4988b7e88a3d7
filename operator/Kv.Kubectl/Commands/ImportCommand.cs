using System.CommandLine;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Import;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv import HOST:PORT…</c>: copies buckets of a running Riak cluster.</summary>
internal static class ImportCommand
{
    private const string PasswordVariable = "KV_SOURCE_PASSWORD";
    private const string Skip = "skip";
    private const string Overwrite = "overwrite";
    private const int DefaultConcurrency = 16;
    private const int MaxConcurrency = 128;

    private const string Examples = """
        kv import riak1:8087 riak2:8087 --bucket users
        kv import riak1:8087 --type carts --type maps --all
        kv import riak1:8087 --all --source-user kv --source-tls-ca riak-ca.pem
        """;

    public static Command Create(CommandSession session)
    {
        var command = new Command(
            "import", "Copy buckets from a running Riak cluster. It can be cut off and started again, and changes nothing that only this cluster has unless it is told to. Run one at a time: two count a counter twice. Stop writing to the Riak cluster before the last run, which takes --on-conflict overwrite, and before data types are copied at all. --timeout is for each request.");
        var arguments = new Arguments(command);
        session.AddExamples(command, Examples);
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var source = arguments.Source(session, parsed);
            var options = arguments.Options(parsed);
            await using var progress = new ImportProgress(session.Terminal.Error);
            var run = new ImportRun(source, new ImportTarget(caller), options, progress);
            try
            {
                await run.RunAsync(cancel);
            }
            catch (Exception e) when (run.Report is not null && e is CliException or OperationCanceledException)
            {
                if (!run.Report!.HasEnded)
                {
                    progress.Say("the same command goes on from here");
                }

                await PrintAsync(session, parsed, run.Report!, progress);
                throw;
            }

            await PrintAsync(session, parsed, run.Report!, progress);
            return ImportOutput.CodeOf(run.Report!);
        });
        return command;
    }

    private static async Task PrintAsync(CommandSession session, ParseResult parsed, ImportReport report, ImportProgress progress)
    {
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(ImportOutput.ToJson(report), CancellationToken.None);
            return;
        }

        ImportOutput.Print(session.Tables, report);
        foreach (var line in ImportOutput.ProblemLines(report))
        {
            progress.Say(line);
        }
    }

    /// <summary>Its words and options.</summary>
    private sealed class Arguments
    {
        private readonly Argument<string[]> addresses = new("HOST:PORT") { Description = "The Protocol Buffers port (usually 8087) of one or several nodes of the Riak cluster.", Arity = ArgumentArity.ZeroOrMore };
        private readonly Option<string[]> types = new("--type", "-t") { HelpName = "TYPE", Description = "A bucket type to copy from; may be given again. Riak does not list them. [default: default]" };
        private readonly Option<string[]> buckets = new("--bucket") { HelpName = "BUCKET", Description = "A bucket to copy; may be given again." };
        private readonly Option<bool> all = new("--all") { Description = "Copy all buckets of the types." };
        private readonly Option<bool> base64 = new("--base64-names") { Description = "BUCKET is given in base64." };
        private readonly Option<string?> onConflict = new("--on-conflict")
        {
            HelpName = "skip|overwrite",
            Description = "What becomes of an object that has another value here, or was deleted here. Data types always stay as they are. [default: skip]",
        };

        private readonly Option<bool> skipProps = new("--skip-props") { Description = "Leave the properties of buckets as they are here." };
        private readonly Option<int?> concurrency = new("--concurrency") { HelpName = "NUMBER", Description = $"Keys copied at once, 1 to {MaxConcurrency}. [default: {DefaultConcurrency}]" };
        private readonly Option<string?> state = new("--state") { HelpName = "DIRECTORY", Description = "Where it is kept how far the import is; taken away once all was copied. [default: kv-import]" };
        private readonly Option<bool> afresh = new("--afresh") { Description = "Begin anew, whatever an import before has left in the directory of --state." };
        private readonly Option<string?> user = new("--source-user") { HelpName = "NAME", Description = $"Who asks the Riak cluster, where it has security on; the password is in ${PasswordVariable} or in the first line of --source-password-file. Goes by TLS." };
        private readonly Option<string?> passwordFile = new("--source-password-file") { HelpName = "PATH", Description = "That user's password." };
        private readonly Option<string?> authorities = new("--source-tls-ca") { HelpName = "PATH", Description = "PEM: the authorities of the Riak nodes' certificates, to speak by TLS; any certificate of theirs counts." };

        public Arguments(Command command)
        {
            command.Add(addresses);
            foreach (var option in new Option[] { types, buckets, all, base64, onConflict, skipProps, concurrency, state, afresh, user, passwordFile, authorities })
            {
                command.Add(option);
            }
        }

        public SourceSettings Source(CommandSession session, ParseResult parsed)
        {
            var given = session.Values(parsed, addresses);
            if (given.Length == 0)
            {
                throw CliException.Usage("name a node of the Riak cluster: HOST:PORT, usually with the port 8087");
            }

            if (given.FirstOrDefault(address => !HostAndPort.IsValid(address)) is { } bad)
            {
                throw CliException.Usage($"a node of the Riak cluster must be HOST:PORT, not `{bad}`");
            }

            var (name, file, authority) = (parsed.GetValue(user), parsed.GetValue(passwordFile), parsed.GetValue(authorities));
            if (name is null && file is not null)
            {
                throw CliException.Usage("--source-password-file needs --source-user");
            }

            return new SourceSettings(
                given,
                name,
                name is null ? null : DataSecurity.PasswordOf(file, PasswordVariable),
                name is null && authority is null ? null : DataSecurity.OfSource(authority),
                session.Connection.Read(parsed).Timeout);
        }

        public ImportOptions Options(ParseResult parsed)
        {
            var named = parsed.GetValue(buckets) ?? [];
            var from = (parsed.GetValue(types) ?? []).Distinct().ToList();
            if (named.Length == 0 != parsed.GetValue(all))
            {
                throw CliException.Usage(named.Length == 0 ? "name what to copy: --bucket BUCKET, or --all" : "--bucket and --all exclude each other");
            }

            if (named.Length > 0 && from.Count > 1)
            {
                throw CliException.Usage("--bucket goes with one --type: which of them has the bucket?");
            }

            if (from.Contains(""))
            {
                throw CliException.Usage("the bucket type is empty");
            }

            var (policy, directory, number) = (parsed.GetValue(onConflict) ?? Skip, parsed.GetValue(state) ?? "kv-import", parsed.GetValue(concurrency) ?? DefaultConcurrency);
            return new ImportOptions
            {
                Types = from.Count == 0 ? [RiakSource.DefaultType] : from,
                Buckets = named.Length == 0 ? null : [.. named.Select(name => ObjectArguments.Name("bucket", name, parsed.GetValue(base64))).Distinct()],
                Concurrency = number is >= 1 and <= MaxConcurrency ? number : throw CliException.Usage($"--concurrency must be a number from 1 to {MaxConcurrency}, not `{number}`"),
                Overwrites = policy switch
                {
                    Skip => false,
                    Overwrite => true,
                    _ => throw CliException.Usage($"--on-conflict must be {Skip} or {Overwrite}, not `{policy}`"),
                },
                CopiesProps = !parsed.GetValue(skipProps),
                IsAfresh = parsed.GetValue(afresh),
                StateDirectory = directory.Length > 0 ? directory : throw CliException.Usage("--state is empty"),
            };
        }
    }
}

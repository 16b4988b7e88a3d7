using System.CommandLine;
using Kv.Kubectl.Diagnosis;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv admin diag</c>: looks for what is wrong with a cluster, or soon will be.</summary>
internal static class DiagnosisCommand
{
    private const string Examples = """
        kv admin diag
        kv admin diag disk memory
        kv admin diag --level warning -o json
        kv admin diag --list
        """;

    private static readonly string[] Levels = [.. Enum.GetNames<FindingLevel>().Select(name => name.ToLowerInvariant())];

    public static Command Create(CommandSession session)
    {
        var names = new Argument<string[]>("[CHECK...]") { Description = "Checks to make; else all of them.", Arity = ArgumentArity.ZeroOrMore };
        var list = new Option<bool>("--list", "-l") { Description = "Show which checks there are, and ask nobody." };
        var level = new Option<string?>("--level", "-d") { HelpName = string.Join('|', Levels), Description = "Show what is at least of this level. [default: notice]" };
        level.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && !Levels.Contains(value, StringComparer.Ordinal))
            {
                result.AddError($"--level must be {string.Join(", ", Levels[..^1])} or {Levels[^1]}, not `{value}`");
            }
        });
        var command = new Command("diag", "Check members, ring, transfers, clocks, disks, memory and data. Exit code 0: no warning and nothing worse is shown; 1: some is.") { names, list, level };
        session.AddExamples(command, Examples);
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var checks = ChecksOf(session.Values(parsed, names));
            if (parsed.GetValue(list))
            {
                await PrintAsync(session, parsed, checks, cancel);
                return ExitCode.Ok;
            }

            var least = parsed.GetValue(level) is { } word ? (FindingLevel)Array.IndexOf(Levels, word) : FindingLevel.Notice;
            var facts = await ClusterFacts.AskAsync(caller, TimeProvider.System, cancel);
            var found = checks.SelectMany(check => check.Find(facts).Select(finding => (check.Name, Finding: finding))).Where(found => found.Finding.Level >= least).ToList();
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(DiagnosisOutput.ToJson(found), cancel);
            }
            else
            {
                DiagnosisOutput.Print(session.Tables, found);
            }

            return found.Exists(one => one.Finding.Level >= FindingLevel.Warning) ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static List<DiagnosticCheck> ChecksOf(string[] names)
    {
        if (names.FirstOrDefault(name => DiagnosticCheck.All.All(check => check.Name != name)) is { } unknown)
        {
            throw CliException.Usage($"there is no check `{unknown}`; there is {string.Join(", ", DiagnosticCheck.All.Select(check => check.Name))}");
        }

        return [.. DiagnosticCheck.All.Where(check => names.Length == 0 || names.Contains(check.Name))];
    }

    private static async Task PrintAsync(CommandSession session, ParseResult parsed, List<DiagnosticCheck> checks, CancellationToken cancel)
    {
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(DiagnosisOutput.ToJson(checks), cancel);
        }
        else
        {
            DiagnosisOutput.Print(session.Tables, checks);
        }
    }
}

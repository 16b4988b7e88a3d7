using System.Text.RegularExpressions;
using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>House style that the compiler and its analyzers cannot see.</summary>
public sealed partial class SourceTests
{
    private const int FileLines = 450;

    /// <summary>
    /// Files that are longer than they should be, with the length they may have. The list only shrinks: a file that got shorter has its
    /// number lowered, and no file is added.
    /// </summary>
    private static readonly Dictionary<string, int> LongFiles = [];

    /// <summary>Words that say nothing of what a type does, or that are another system's word for one of ours.</summary>
    private static readonly string[] VagueWords =
        ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Shard", "Rebalance", "Rebalancer", "Migrator", "Misc"];

    private static IReadOnlyList<string> Production => Repository.Files(".cs", "node", "operator");

    private static IReadOnlyList<string> All => Repository.Files(".cs", "node", "operator", "tests");

    [Fact]
    public void File_FitsItsLength()
    {
        var tooLong = All.Select(path => (path, lines: Repository.Lines(path).Length))
            .Where(file => file.lines > LongFiles.GetValueOrDefault(file.path, FileLines))
            .Select(file => $"{file.path}: {file.lines} lines");
        Offenders.None(tooLong, $"longer than {FileLines} lines: such a file holds two things");
    }

    [Fact]
    public void LongFilesList_OnlyShrinks()
    {
        var loose = LongFiles.Where(file => !File.Exists(Path.Combine(Repository.Root, file.Key)) || Repository.Lines(file.Key).Length < file.Value);
        Offenders.None(loose.Select(file => file.Key), "lower the number, or remove the entry");
    }

    [Fact]
    public void File_HoldsOnePublicType()
    {
        var crowded = Production.Select(path => (path, types: PublicTypes(path)))
            .Where(file => file.types.Distinct().Count() > 1)
            .Select(file => $"{file.path}: {string.Join(", ", file.types)}");
        Offenders.None(crowded, "one public type per file");
    }

    [Fact]
    public void File_IsNamedAfterItsPublicType()
    {
        var misnamed = Production.Select(path => (path, types: PublicTypes(path)))
            .Where(file => file.types.Count > 0)
            .Where(file => !Path.GetFileName(file.path).StartsWith(file.types[0] + ".", StringComparison.Ordinal))
            .Select(file => $"{file.path}: {file.types[0]}");
        Offenders.None(misnamed, "a file is named after its public type");
    }

    [Fact]
    public void Namespace_IsTheFolder()
    {
        var misplaced = new List<string>();
        foreach (var path in All)
        {
            var declared = Repository.Lines(path).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal));
            var folder = string.Join('.', Path.GetDirectoryName(path)!.Split('/', '\\').Skip(1));
            if (declared is not null && declared != $"namespace {folder};")
            {
                misplaced.Add($"{path}: {declared}");
            }
        }
        Offenders.None(misplaced, "the namespace is the folder");
    }

    [Fact]
    public void TypeName_SaysWhatTheTypeDoes()
    {
        var vague = new List<string>();
        foreach (var path in All)
        {
            foreach (Match match in AnyType().Matches(Repository.Read(path)))
            {
                var words = Word().Matches(match.Groups["name"].Value).Select(word => word.Value);
                if (words.Intersect(VagueWords).Any())
                {
                    vague.Add($"{path}: {match.Groups["name"].Value}");
                }
            }
        }
        Offenders.None(vague, "names that say nothing");
    }

    [Theory]
    [InlineData(@"^\s*#region\b", "a region hides length; cut the file instead")]
    [InlineData(@"\bNotImplementedException\b", "half-done code is not landed")]
    [InlineData(@"\b(TODO|FIXME|HACK|XXX)\b(?!\(#\d+\))", "a reminder carries the number of its issue: TODO(#12)")]
    [InlineData(@"^\s*#pragma warning disable\s+\w+\s*$", "a suppression carries its reason on the same line")]
    [InlineData(@"^\s*#nullable disable\b", "nullable is on everywhere")]
    [InlineData(@"\bThread\.Sleep\(", "wait for what is awaited, or take a TimeProvider")]
    [InlineData(@"\bConsole\.ReadKey\(", "programs run without a terminal")]
    [InlineData(@"catch\s*(\(Exception[^)]*\))?\s*\{\s*\}", "an error swallowed whole is a state nobody sees")]
    public void Source_HoldsNone(string pattern, string reason)
    {
        var expression = new Regex(pattern);
        var found = All.Where(path => path != "tests/Kv.Tidy.Tests/SourceTests.cs")
            .SelectMany(path => Repository.Lines(path).Select((line, at) => (path, line, number: at + 1)))
            .Where(line => expression.IsMatch(line.line))
            .Select(line => $"{line.path}:{line.number}");
        Offenders.None(found, reason);
    }

    /// <summary>People find what a line of the log means, and count it, by its number: each names one place in the tree.</summary>
    [Fact]
    public void LogEvent_HasANumberOfItsOwn()
    {
        var events = Production
            .SelectMany(path => LogEvent().Matches(Repository.Read(path)).Select(match => (path, id: match.Groups["id"].Value)))
            .ToLookup(logged => logged.id, logged => logged.path);
        Assert.NotEmpty(events);
        var shared = events.Where(places => places.Count() > 1).Select(places => $"{places.Key}: {string.Join(", ", places)}");
        Offenders.None(shared, "two log events of one number");
    }

    /// <summary>Tests that measure time fail on a busy machine; time is a fake provider's there.</summary>
    [Fact]
    public void Test_DoesNotMeasureTime()
    {
        var found = Repository.Files(".cs", "tests")
            .Where(path => path.Split('/')[1].EndsWith(".Tests", StringComparison.Ordinal) && path != "tests/Kv.Tidy.Tests/SourceTests.cs")
            .Where(path => Repository.Read(path).Contains("Stopwatch", StringComparison.Ordinal));
        Offenders.None(found, "a test never measures time");
    }

    /// <summary>Public types at the top of the file's namespace: nested ones are indented.</summary>
    private static List<string> PublicTypes(string path) =>
        [.. Repository.Lines(path).Select(line => PublicType().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value)];

    [GeneratedRegex(@"^public (?:(?:static|sealed|abstract|partial|readonly|ref|unsafe|file) )*(?:class|struct|interface|enum|record(?: struct| class)?|delegate [\w<>\[\]?.]+) (?<name>\w+)")]
    private static partial Regex PublicType();

    [GeneratedRegex(@"^\s*(?:(?:public|internal|private|protected|static|sealed|abstract|partial|readonly|ref|file) )*(?:class|struct|interface|enum|record(?: struct| class)?) (?<name>[A-Z]\w+)", RegexOptions.Multiline)]
    private static partial Regex AnyType();

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(?<id>\d+)")]
    private static partial Regex LogEvent();

    [GeneratedRegex("[A-Z][a-z0-9]*")]
    private static partial Regex Word();
}

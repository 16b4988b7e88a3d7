using System.Text.RegularExpressions;
using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>What the README sends people to is there: targets, programs, files, and each project on the map. That its lines work is `Kv.EndToEnd`'s.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Readme = Repository.Read("README.md");
    private static readonly string Makefile = Repository.Read("Makefile");

    [Fact]
    public void Make_HasTheTargetsThatAreNamed()
    {
        var named = Make().Matches(Readme).SelectMany(match => match.Groups["targets"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Distinct().ToList();
        Assert.Contains("run", named);
        Offenders.None(named.Where(target => !Makefile.Contains($"\n.PHONY: {target}\n", StringComparison.Ordinal)), "targets that the Makefile does not have");
    }

    [Fact]
    public void Makefile_SaysOfEachTargetThatPeopleTypeWhatItDoes()
    {
        var described = Target().Matches(Makefile).Select(match => match.Groups["name"].Value).ToHashSet();
        var typed = Make().Matches(Readme).SelectMany(match => match.Groups["targets"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Offenders.None(typed.Except(described), "targets that `make help` does not list");
    }

    [Fact]
    public void Files_ThatAreNamedInCommands_AreThereOrMade()
    {
        var made = new[] { "bin/kv", "bin/kubectl-kv", ".artifacts/images/kv-node.tar", ".artifacts/images/kv-operator.tar" };
        var blocks = string.Concat(Block().Matches(Readme).Select(match => match.Groups["lines"].Value));
        var named = FilePath().Matches(string.Join('\n', blocks.Split('\n').Select(line => line.Split(" #")[0]))).Select(match => match.Value).Distinct().ToList();
        Assert.Contains("crds/examples", named);
        // KIND/NAME is kubectl's.
        Offenders.None(named.Except(made).Where(path => !path.StartsWith("kv", StringComparison.Ordinal) && !Path.Exists(Path.Combine(Repository.Root, path))), "files that are not there");
    }

    [Fact]
    public void Map_HasEveryProject()
    {
        var projects = Repository.Files(".csproj").Select(path => Path.GetFileNameWithoutExtension(path));
        Offenders.None(projects.Where(project => !Readme.Contains($"{project}`", StringComparison.Ordinal)), "projects that the README's map leaves out");
    }

    [Fact]
    public void Map_HasNoProjectThatIsNotThere()
    {
        var projects = Repository.Files(".csproj").Select(path => Path.GetFileNameWithoutExtension(path)!).ToHashSet();
        Offenders.None(Project().Matches(Readme).Select(match => match.Value.Trim('`').Split('/')[^1]).Where(name => !projects.Contains(name)), "no project has this name");
    }

    [GeneratedRegex(@"(?<=^|`)make (?<targets>[a-z0-9-]+(?: [a-z0-9-]+)*)(?![a-z0-9])", RegexOptions.Multiline)]
    private static partial Regex Make();

    [GeneratedRegex("^(?<name>[a-z0-9-]+):.* ## ", RegexOptions.Multiline)]
    private static partial Regex Target();

    [GeneratedRegex("```sh\n(?<lines>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"(?<=^|\s)\.?[A-Za-z][\w.-]*/[\w./-]+", RegexOptions.Multiline)]
    private static partial Regex FilePath();

    [GeneratedRegex(@"`(?:\w+/)?Kv\.[A-Za-z.]+`")]
    private static partial Regex Project();
}

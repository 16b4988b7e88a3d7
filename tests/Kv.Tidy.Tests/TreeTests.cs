using System.Text.RegularExpressions;
using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>The shape of the tree: what its top level holds, that links lead somewhere, that documents are where the README says.</summary>
public sealed partial class TreeTests
{
    private static readonly string[] TopLevel =
    [
        "operator", "node", "crds", "charts", "tests", "Kv.Operator.sln", "README.md", "Makefile", "LICENSE", "global.json",
        "Directory.Build.props", "Directory.Packages.props",
    ];

    /// <summary>What building and running leave there; git ignores it.</summary>
    private static readonly string[] Leftovers = ["bin", "TestResults"];

    [Fact]
    public void TopLevel_HoldsWhatItMayAndNoMore()
    {
        var names = Directory.EnumerateFileSystemEntries(Repository.Root).Select(path => Path.GetFileName(path)!)
            .Where(name => !name.StartsWith('.')).ToArray();
        Offenders.None(names.Except(TopLevel).Except(Leftovers), "not at home at the top level");
        Offenders.None(TopLevel.Except(names), "missing at the top level");
    }

    [Fact]
    public void Markdown_LinksToFilesThatExist()
    {
        var broken = new List<string>();
        foreach (var path in Repository.Files(".md"))
        {
            var directory = Path.GetDirectoryName(Path.Combine(Repository.Root, path))!;
            foreach (Match match in Link().Matches(Repository.Read(path)))
            {
                var target = match.Groups["target"].Value.Split('#')[0];
                if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)
                    && !Path.Exists(Path.GetFullPath(Path.Combine(directory, target))))
                {
                    broken.Add($"{path}: {target}");
                }
            }
        }
        Offenders.None(broken, "links that lead nowhere");
    }

    [Fact]
    public void DesignNote_IsListedInTheReadme()
    {
        var readme = Repository.Read("README.md");
        var notes = Repository.Files(".md", "node/docs", "operator/docs");
        Offenders.None(notes.Where(note => !readme.Contains(note, StringComparison.Ordinal)), "design notes that the README does not link");
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}

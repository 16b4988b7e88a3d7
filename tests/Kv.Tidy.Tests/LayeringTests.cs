using System.Xml.Linq;
using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>
/// The layers, as project references. Nothing points upward; the operator knows of the nodes what their protocol says and no more.
/// A new project is added here on purpose, with the layers below it.
/// </summary>
public sealed class LayeringTests
{
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["node/Kv.Core"] = [],
        ["node/Kv.Protos"] = [],
        ["node/Kv.Cluster"] = ["node/Kv.Core"],
        ["node/Kv.Storage"] = ["node/Kv.Core"],
        ["node/Kv.Wire"] = ["node/Kv.Core", "node/Kv.Cluster", "node/Kv.Protos"],
        ["node/Kv.Client"] = ["node/Kv.Core", "node/Kv.Protos"],
        ["node/Kv.Node"] = ["node/Kv.Core", "node/Kv.Cluster", "node/Kv.Storage", "node/Kv.Wire", "node/Kv.Protos"],
        ["operator/Kv.Operator.Api"] = [],
        ["operator/Kv.Operator"] = ["operator/Kv.Operator.Api", "node/Kv.Protos"],
        ["operator/Kv.Kubectl"] = ["operator/Kv.Operator.Api", "node/Kv.Protos"],
    };

    /// <summary>The packages of the projects that are kept free of the world. Analyzers do not count: they ship nothing.</summary>
    private static readonly Dictionary<string, string[]> MayUsePackages = new()
    {
        ["node/Kv.Core"] = [],
        ["node/Kv.Cluster"] = ["Microsoft.Extensions.Logging.Abstractions"],
        ["operator/Kv.Operator.Api"] = ["KubernetesClient"],
    };

    public static TheoryData<string> Projects => new(Repository.Files(".csproj", "node", "operator"));

    public static TheoryData<string> LeanProjects => new(MayUsePackages.Keys);

    [Theory, MemberData(nameof(Projects))]
    public void Project_ReferencesOnlyLayersBelow(string path)
    {
        var project = Path.GetDirectoryName(path)!.Replace('\\', '/');
        Assert.True(MayReference.TryGetValue(project, out var allowed), $"{project} has no layer: add it to this test's table");
        var references = Items(path, "ProjectReference")
            .Select(reference => Path.GetRelativePath(Repository.Root, Path.Combine(Repository.Root, project, reference.Replace('\\', '/'))))
            .Select(reference => Path.GetDirectoryName(reference)!.Replace('\\', '/'));
        Offenders.None(references.Except(allowed), $"{project} may not reference");
    }

    [Theory, MemberData(nameof(LeanProjects))]
    public void PureProject_UsesOnlyPackagesItIsAllowed(string project)
    {
        var path = $"{project}/{Path.GetFileName(project)}.csproj";
        Offenders.None(Items(path, "PackageReference").Except(MayUsePackages[project]), $"{project} may not use");
    }

    [Fact]
    public void TestProject_IsReferencedByTestProjectsOnly()
    {
        var offenders = Repository.Files(".csproj", "node", "operator")
            .Where(path => Items(path, "ProjectReference").Any(reference => reference.Replace('\\', '/').Contains("/tests/", StringComparison.Ordinal)));
        Offenders.None(offenders, "nothing that ships references tests");
    }

    [Fact]
    public void Solution_HoldsEveryProject()
    {
        var solution = Repository.Read("Kv.Operator.sln").Replace('\\', '/');
        Offenders.None(Repository.Files(".csproj").Where(path => !solution.Contains($"\"{path}\"", StringComparison.Ordinal)), "not in the solution");
    }

    [Fact]
    public void Package_HasItsVersionInOnePlace()
    {
        var offenders = Repository.Files(".csproj")
            .Where(path => XDocument.Parse(Repository.Read(path)).Descendants("PackageReference").Any(item => item.Attribute("Version") is not null));
        Offenders.None(offenders, "versions stand in Directory.Packages.props");
    }

    /// <summary>The engines' own names stay in one project, behind the storage port; RocksDB's in its folder.</summary>
    [Theory]
    [InlineData("FASTER", "node/Kv.Storage/")]
    [InlineData("RocksDbSharp", "node/Kv.Storage/Ordered/")]
    public void Engine_IsNamedByItsOwnFolderOnly(string engine, string folder)
    {
        var offenders = Repository.Files(".cs", "node", "operator")
            .Where(path => !path.StartsWith(folder, StringComparison.Ordinal))
            .Where(path => Repository.Lines(path).Any(line => line.StartsWith($"using {engine}", StringComparison.Ordinal)));
        Offenders.None(offenders, $"{engine} is named outside {folder}");
    }

    private static IEnumerable<string> Items(string path, string item) =>
        XDocument.Parse(Repository.Read(path)).Descendants(item)
            .Where(element => element.Attribute("PrivateAssets")?.Value != "all")
            .Select(element => element.Attribute("Include")!.Value);
}

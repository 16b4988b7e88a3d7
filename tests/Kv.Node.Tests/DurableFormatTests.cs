using System.Globalization;
using System.Reflection;
using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Protos.Admin.V1;
using Kv.Storage;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>The one number that a node tells of its files, against the constants that the files are written with.</summary>
public sealed class DurableFormatTests
{
    /// <summary>Versions of what is sent, or of what is made anew from the data where it differs, and never of what has to be read after an upgrade.</summary>
    private static readonly HashSet<string> NotDurable = new(StringComparer.Ordinal)
    {
        "DocumentChangeCodec.FormatVersion", "CausalContext.Version", "IndexRange.ContinuationVersion", "RingHash.TermVersion", "HashTree.Version", "TreeLayout.RulesVersion",
    };

    [Fact]
    public void Version_IsTheSumOfAllVersionsOfFilesAndRecords()
    {
        var found = VersionsOf(typeof(KvObject).Assembly, typeof(ClusterNode).Assembly, typeof(StorageEngine).Assembly, typeof(DurableFormat).Assembly);
        Assert.Contains("BatchRecord.FormatVersion", found.Keys);
        Assert.Contains("ObjectCodec.Version", found.Keys);
        Assert.All(NotDurable, name => Assert.Contains(name, found.Keys));
        var durable = found.Where(version => !NotDurable.Contains(version.Key)).ToList();
        Assert.True(
            durable.Sum(version => version.Value) == DurableFormat.Version,
            $"DurableFormat.Version is {DurableFormat.Version}, and it should be {durable.Sum(version => version.Value)}: {string.Join(", ", durable.Select(version => $"{version.Key} {version.Value}"))}");
    }

    [Fact]
    public async Task Node_TellsIt()
    {
        await using var node = await TestNode.StartAsync(TestNode.Options("node1"), TestContext.Current.CancellationToken);
        var told = await node.Admin.GetNodeAsync(new GetNodeRequest(), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(DurableFormat.Version, told.FormatVersion);
    }

    /// <summary>Every constant whose name ends in Version, with its type's name before it; those that only say what is still read are named otherwise.</summary>
    private static SortedDictionary<string, int> VersionsOf(params Assembly[] assemblies)
    {
        var versions = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var field in assemblies.SelectMany(assembly => assembly.GetTypes()).Where(type => type != typeof(DurableFormat))
                     .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                     .Where(field => field.IsLiteral && field.Name.EndsWith("Version", StringComparison.Ordinal) && field.FieldType != typeof(string)))
        {
            versions.Add($"{field.DeclaringType!.Name}.{field.Name}", Convert.ToInt32(field.GetRawConstantValue(), CultureInfo.InvariantCulture));
        }

        return versions;
    }
}

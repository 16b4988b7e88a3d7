using System.Text.RegularExpressions;
using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>The operator knows the names of a node's settings, and nothing else of a node: its list is the node's.</summary>
public sealed partial class NodeSettingTests
{
    /// <summary>The file that names the rest; a node has no setting of that name.</summary>
    private const string TheFile = "config";

    [Fact]
    public void Settings_ThatTheOperatorKnows_AreTheNodes()
    {
        var ofNodes = Entry().Matches(Repository.Read("node/Kv.Node/NodeSettingNames.cs")).Select(match => match.Groups[1].Value).ToList();
        var ofTheOperator = Name().Matches(Repository.Read("operator/Kv.Operator.Api/Clusters/NodeSettings.cs")).Select(match => match.Groups[1].Value).ToList();
        Assert.True(ofNodes.Count > 30, "the node's table is written otherwise now");
        Assert.Equal(ofNodes.Append(TheFile).Order(StringComparer.Ordinal), ofTheOperator.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("(?:new|Port|Number)\\(\"([a-z][a-z-]*)\",")]
    private static partial Regex Entry();

    [GeneratedRegex("\"([a-z][a-z-]*)\"")]
    private static partial Regex Name();
}

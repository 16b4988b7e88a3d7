using Kv.Simulation.Stories;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>The stories go as their transcripts say.</summary>
public sealed class StoryTests
{
    public static TheoryData<string> Names() => [.. AllStories.All.Select(story => story.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Story_GoesAsWritten(string name)
    {
        var story = AllStories.All.Single(story => story.Name == name);
        var told = story.Tell();
        Assert.True(story.Written == told, $"{name}.txt is not what happens now; if that is right, run make stories and read the difference:\n{told}");
    }
}

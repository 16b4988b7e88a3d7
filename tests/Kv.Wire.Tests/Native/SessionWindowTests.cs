using Kv.Wire.Native;
using Xunit;

namespace Kv.Wire.Tests.Native;

public sealed class SessionWindowTests
{
    private static readonly NativeOptions Options = new() { SessionRequests = 1000, SessionAnswerBytes = 10 * SessionWindow.FirstExpectedBytes };

    private readonly SessionWindow window = new(Options);

    [Fact]
    public void BeforeThereIsAnAnswer_ASessionBeginsAsMuchAsMayBeLong()
    {
        Assert.Equal(10, BeginAll());
        Assert.False(window.IsEmpty);
    }

    [Fact]
    public void ShortAnswers_AreBoundedByTheirNumber()
    {
        var begun = BeginAll();
        for (var i = 0; i < 200; i++)
        {
            Answer(10);
            Assert.True(window.TryBegin());
        }

        Assert.Equal(Options.SessionRequests, begun + BeginAll());
    }

    [Fact]
    public void LongAnswers_AreBoundedByTheirBytes_OneAtATimeWhereOneIsAllOfThem()
    {
        BeginAll();
        for (var i = 0; i < 10; i++)
        {
            Answer(2 * SessionWindow.FirstExpectedBytes);
        }

        Assert.Equal(5, BeginAll());
        for (var i = 0; i < 5; i++)
        {
            Answer((int)Options.SessionAnswerBytes);
        }

        Assert.Equal(1, BeginAll());
    }

    [Fact]
    public void WhatWaitsForTheClient_CountsToo()
    {
        BeginAll();
        for (var i = 0; i < 10; i++)
        {
            Assert.True(Come(SessionWindow.FirstExpectedBytes));
        }

        // There is as much as may wait, and one more is begun: it finds out whether the client reads.
        Assert.Equal(1, BeginAll());
        window.Take(5, 5 * SessionWindow.FirstExpectedBytes);
        Assert.Equal(4, BeginAll());
    }

    [Fact]
    public void FarMoreThanCouldBeExpected_FindsNoRoom_ButTheFirstAndWhatIsShort()
    {
        BeginAll();
        for (var i = 0; i < 200; i++)
        {
            Answer(10);
            Assert.True(window.TryBegin());
        }

        BeginAll();
        Assert.True(Come((int)(5 * Options.SessionAnswerBytes)));
        Assert.False(window.HasRoom(100_000));
        Assert.True(Come(1000));
    }

    private int BeginAll()
    {
        var begun = 0;
        while (window.TryBegin())
        {
            begun++;
        }

        return begun;
    }

    private bool Come(int bytes)
    {
        if (!window.HasRoom(bytes))
        {
            return false;
        }

        window.Add(bytes);
        return true;
    }

    private void Answer(int bytes)
    {
        Assert.True(Come(bytes));
        window.Take(1, bytes);
    }
}
